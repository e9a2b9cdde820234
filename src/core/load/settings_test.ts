import assert from "node:assert/strict";
import { type SettingName, SETTINGS } from "./setting_rows.ts";
import { readLoadSettings } from "./settings.ts";
import { SHAPES } from "./shapes.ts";

Deno.test("readLoadSettings() has a default for everything", () => {
  const settings = readLoadSettings("constant-rate", {});
  assert.deepEqual(settings.problems, []);
  assert.equal(settings.target, "localhost:5000");
  assert.equal(settings.durationMs, 30_000);
  assert.equal(settings.tolerance, 0.01);
  assert.equal(settings.report, "");
});

Deno.test("readLoadSettings() takes a shape's own defaults", () => {
  const settings = readLoadSettings("soak", { RATE: "7" });
  assert.deepEqual(settings.problems, []);
  assert.equal(settings.durationMs, 1_800_000);
  assert.equal(settings.ratePerS, 7);
});

Deno.test("readLoadSettings() reads units", () => {
  const env = { DURATION: "2m", WARMUP: "0s", TOLERANCE: ".05" };
  const settings = readLoadSettings("constant-rate", env);
  assert.deepEqual(settings.problems, []);
  assert.equal(settings.durationMs, 120_000);
  assert.equal(settings.warmupMs, 0);
  assert.equal(settings.tolerance, 0.05);
});

Deno.test("readLoadSettings() takes names with _ and IPv6 as TARGET", () => {
  for (const target of ["[::1]:5000", "my_envoy:5000", "[fd00::1.2.3.4]:1"]) {
    const { target: read, problems } = readLoadSettings("constant-rate", {
      TARGET: target,
    });
    assert.deepEqual(problems, []);
    assert.equal(read, target);
  }
});

Deno.test("readLoadSettings() tells all that is wrong at once", () => {
  const { problems } = readLoadSettings("constant-rate", {
    TARGET: "localhost",
    RATE: "0",
    DURATION: "30",
    TOLERANCE: "1",
    SERVERS: "",
    WARMPU: "1s",
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(" ")[0]),
    ["TARGET", "RATE", "DURATION", "SERVERS", "TOLERANCE", "WARMPU"],
  );
  assert.equal(
    problems[1],
    'RATE must be a whole number from 1 to 20000, not "0"',
  );
});

for (
  const [name, meant] of [
    ["DURATIN", "DURATION"],
    ["duration", "DURATION"],
    ["DURATION_MS", "DURATION"],
    ["DEADLINE", "DEADLINE_MS"],
    ["P99", "P99_MS"],
    ["TRAGET", "TARGET"],
    ["SERVER", "SERVERS"],
    ["TOLERENCE", "TOLERANCE"],
    ["RATES", "RATE"],
  ] as const
) {
  Deno.test(`readLoadSettings() takes ${name} for ${meant} misspelt`, () => {
    assert.deepEqual(
      readLoadSettings("constant-rate", { [name]: "1" }).problems,
      [
        `${name} is not a setting; did you mean ${meant}?`,
      ],
    );
  });
}

Deno.test("readLoadSettings() leaves the variables of others alone", () => {
  const names = [
    ...["PATH", "HOME", "USER", "TERM", "DATE", "LANG", "SHELL", "PWD"],
    ...["WORK", "SHLVL", "TMPDIR", "EDITOR", "DISPLAY", "HOSTNAME", "LOGNAME"],
    ...["PORT", "DURATION_LIMIT", "SERVER_NAME", "RATE_LIMIT", "REPO", "_"],
    ...["K6_DURATION", "KUBERNETES_SERVICE_HOST", "CLIENT_RATE", "MESSAGE"],
    // Settings of other load tests.
    ...["BATCH", "STEPS", "MESSAGES"],
  ];
  const env = Object.fromEntries(names.map((name) => [name, "x"]));
  assert.deepEqual(readLoadSettings("constant-rate", env).problems, []);
});

Deno.test("readLoadSettings() tells which settings are of other tests", () => {
  const env = { RATE: "9", BATCH: "0", ZZZ: "9" };
  const { problems, unread } = readLoadSettings("constant-rate", env);
  assert.deepEqual(problems, []);
  assert.deepEqual(unread, ["BATCH"]);
  assert.deepEqual(readLoadSettings("connections", env).unread, []);
});

Deno.test("the README has every setting with its default", async () => {
  const readme = await Deno.readTextFile(
    new URL("../../../loadtest/README.md", import.meta.url),
  );
  for (const { env, default: normally } of Object.values(SETTINGS)) {
    const cell = normally === "" ? "" : `\`${normally}\``;
    const row = readme.split("\n").find((line) =>
      line.startsWith(`| \`${env}\` `)
    );
    assert.equal(row?.split("|").at(-2)?.trim(), cell, env);
  }
  for (const [shape, { defaults }] of Object.entries(SHAPES)) {
    const words = Object.entries(defaults)
      .map(([name, value]) => `${SETTINGS[name as SettingName].env}=${value}`);
    const row = readme.slice(readme.indexOf("have other defaults"))
      .split("\n").find((line) => line.startsWith(`| \`${shape}\` `));
    const cell = words.length === 0 ? undefined : `\`${words.join(" ")}\``;
    assert.equal(row?.split("|").at(-2)?.trim(), cell, shape);
  }
});
