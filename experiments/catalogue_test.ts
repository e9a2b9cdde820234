/** The catalogue names every experiment, and each has its control. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { controlsOf } from "../src/experiment/conduct.ts";
import type { Experiment } from "../src/experiment/authors.ts";
import { CATALOGUE } from "./catalogue.ts";

/** The experiments' files: no test, no "_" helper, not the catalogue. */
function files(): readonly string[] {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  return [...Deno.readDirSync(folder)]
    .map(({ name }) => name)
    .filter((name) => /^[a-z][a-z0-9_]*\.ts$/.test(name))
    .filter((name) => !name.endsWith("_test.ts") && name !== "catalogue.ts");
}

function isExperiment(value: unknown): value is Experiment {
  return typeof value === "object" && value !== null && "question" in value;
}

Deno.test("every file of an experiment is named by the catalogue", async () => {
  for (const file of files()) {
    const exports: Record<string, unknown> = await import(`./${file}`);
    const found = Object.values(exports).filter(isExperiment);
    assert.ok(found.length > 0, `${file} exports no experiment`);
    for (const experiment of found) {
      assert.ok(
        CATALOGUE.includes(experiment),
        `catalogue.ts does not name ${experiment.name} of ${file}`,
      );
    }
  }
});

Deno.test("every name is there once and can be typed", () => {
  const names = CATALOGUE.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const name of names) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
});

Deno.test("every experiment asks, claims, and has a control that breaks", () => {
  for (const experiment of CATALOGUE) {
    const { name, question, claims } = experiment;
    assert.match(question, /^[A-Z].*\?$/, name);
    const ids = claims.map(({ id }) => id);
    assert.ok(ids.length > 0, `${name} claims nothing`);
    assert.deepEqual([...new Set(ids)], ids, name);
    for (const { about, breaks } of controlsOf(experiment)) {
      assert.ok(breaks.length > 0, `${name}: ${about} breaks nothing`);
      for (const id of breaks) assert.ok(ids.includes(id), `${name}: ${id}`);
    }
    for (const { text } of claims) assert.doesNotMatch(text, /[.!]$/, name);
  }
});

Deno.test("a short experiment needs no cluster, which few machines have", () => {
  for (const { name, isShort, isForKubernetes } of CATALOGUE) {
    assert.ok(!(isShort && isForKubernetes), name);
  }
});
