import assert from "node:assert/strict";
import { readSettings, ROWS } from "./settings.js";

/** What is looked at here; the script is no TypeScript. */
interface Settings {
  readonly problems: readonly string[];
  readonly target: string;
  readonly durationMs: number;
  readonly warmupMs: number;
  readonly tolerance: number;
  readonly report: string;
}

/** Reads settings from variables, as k6 hands them to a script. */
function read(env: Readonly<Record<string, string>>): Settings {
  Object.assign(globalThis, { __ENV: env });
  return readSettings() as unknown as Settings;
}

Deno.test("readSettings() has a default for everything", () => {
  const settings = read({});
  assert.deepEqual(settings.problems, []);
  assert.equal(settings.target, "localhost:5000");
  assert.equal(settings.durationMs, 30_000);
  assert.equal(settings.tolerance, 0.01);
  assert.equal(settings.report, "");
});

Deno.test("readSettings() reads units", () => {
  const settings = read({ DURATION: "2m", WARMUP: "0s", TOLERANCE: ".05" });
  assert.deepEqual(settings.problems, []);
  assert.equal(settings.durationMs, 120_000);
  assert.equal(settings.warmupMs, 0);
  assert.equal(settings.tolerance, 0.05);
});

Deno.test("readSettings() tells all wrong values at once", () => {
  const { problems } = read({
    TARGET: "localhost",
    RATE: "0",
    DURATION: "30",
    TOLERANCE: "1",
    SERVERS: "",
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(" ")[0]),
    ["TARGET", "RATE", "DURATION", "SERVERS", "TOLERANCE"],
  );
  assert.equal(
    problems[1],
    'RATE must be a whole number from 1 to 20000, not "0"',
  );
});

Deno.test("the README has every setting with its default", async () => {
  const readme = await Deno.readTextFile(
    new URL("../README.md", import.meta.url),
  );
  const rows = Object.values(ROWS) as { env: string; default: string }[];
  for (const { env, default: normally } of rows) {
    const cell = normally === "" ? "" : `\`${normally}\``;
    const row = readme.split("\n").find((line) =>
      line.startsWith(`| \`${env}\` `)
    );
    assert.equal(row?.split("|").at(-2)?.trim(), cell, env);
  }
});
