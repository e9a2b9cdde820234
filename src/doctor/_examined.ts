/** Examines texts as the command does, without Envoy; for tests. */
import { readConfiguration } from "./configuration.ts";
import { type Examination, examine } from "./examine.ts";
import type { Circumstances } from "./model.ts";

const NOTHING_SAID: Circumstances = {
  services: [],
  concurrency: undefined,
  envoys: 1,
};

/** The examination of a text; `files` are what it may name. */
export function examined(
  text: string,
  said: Partial<Circumstances> = {},
  files: Readonly<Record<string, string>> = {},
): Examination {
  return examine(
    readConfiguration(text, "a.yaml"),
    { ...NOTHING_SAID, ...said },
    (path) => {
      const named = files[path];
      return named === undefined ? undefined : readConfiguration(named, path);
    },
  );
}

/** The rules that find something in a text. */
export function found(...args: Parameters<typeof examined>): readonly string[] {
  return examined(...args).diagnoses.map(({ rule }) => rule.id);
}
