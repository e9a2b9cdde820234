/** Asks Envoy whether it would start with a configuration. */
import { join } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { runToEnd } from "../io/processes.ts";
import { type Path, refusalIn } from "./envoy_refusal.ts";
import { ownFolder } from "./own_folder.ts";

/** A validation takes a tenth of a second; a busy machine needs longer. */
const VALIDATE_LIMIT_MS = 20_000;

/** Files, users and devices that only the machine that it is for has. */
const ELSEWHERE =
  /invalid path|unable to read|No such file|not found in file|does not exist|failed to load|Failed to initialize cipher|inotify|path traversal/i;

/** A complaint about something else leaves room for the sentence. */
const LINE_UNITS_MAX = 300;

/** What Envoy says of a configuration. */
export type EnvoyVerdict =
  | { readonly kind: "accepted" }
  | {
    readonly kind: "refused";
    readonly sentence: string;
    /** Where, if it is known. */
    readonly path: Path | undefined;
  }
  /** It could not judge, for example without a file that is elsewhere. */
  | { readonly kind: "unknown"; readonly sentence: string };

/**
 * Asks Envoy.
 *
 * @param path Envoy's executable.
 * @param from The configuration: a file whose name ends in .yaml or .json, or a
 * text, written to such a file in .tools while it is asked; and the folder of
 * the files that it names.
 * @param config The same, parsed, to name the field.
 * @throws {Failure} `environment` when that file cannot be written.
 */
export async function validateWithEnvoy(
  path: string,
  from: ({ readonly file: string } | { readonly text: string }) & {
    readonly folder: string;
  },
  config: unknown,
): Promise<EnvoyVerdict> {
  if ("text" in from) {
    await using file = await temporaryFile(from.text);
    const { folder } = from;
    return await validateWithEnvoy(path, { file: file.path, folder }, config);
  }
  const { code, stdout, stderr } = await runToEnd(path, [
    ...["--mode", "validate", "--log-level", "error"],
    ...["-c", from.file],
    // A bootstrap for a control plane may leave them to the command line.
    ...["--service-node", "doctor", "--service-cluster", "doctor"],
  ], {
    timeoutMs: VALIDATE_LIMIT_MS,
    cwd: from.folder,
  });
  if (code === 0) return { kind: "accepted" };
  const lines = [...stdout.split("\n"), ...stderr.split("\n")];
  const refusal = refusalIn(lines, config);
  if (refusal !== undefined && !ELSEWHERE.test(refusal.words)) {
    return { kind: "refused", sentence: refusal.words, path: refusal.path };
  }
  const last = lines.findLast((line) => line.trim() !== "") ??
    "it said nothing";
  return {
    kind: "unknown",
    sentence: "Envoy cannot validate it on this machine: " +
      printable(refusal?.words ?? last, LINE_UNITS_MAX),
  };
}

/** A file of this text for as long as it is in use: an argument has limits. */
async function temporaryFile(
  text: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await ownFolder("validation");
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    await Deno.mkdir(folder, { recursive: true });
    const path = join(folder, "envoy.yaml");
    await Deno.writeTextFile(path, text);
    return { path, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove().catch(() => {}); // Most likely it is not there.
    throw new Failure(
      "environment",
      `Envoy cannot be asked: ${messageOf(error)}; start this where it may ` +
        "write to .tools/, or put the configuration into a file whose name " +
        "ends in .yaml",
      { cause: error },
    );
  }
}
