import assert from "node:assert/strict";
import { Failure } from "../core/errors.ts";
import { DOCTOR_RULES } from "../doctor/examine.ts";
import { reportJson, reportLines, reportSarif } from "../doctor/report.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import { measure } from "./doctor_measure.ts";

/** Diagnoses by rules, two of which have the same experiment. */
const DIAGNOSES = ["no-retries", "retry-on-statuses", "missing-cluster"]
  .map((id) => {
    const rule = DOCTOR_RULES.find((one) => one.id === id);
    assert.ok(rule, id);
    return { rule, findings: [] };
  });

const EXPERIMENT: Experiment = {
  name: "kill-one",
  question: "Is a call lost?",
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 5000 },
  events: [],
  claims: [],
  control: { about: "no retries", breaks: [] },
};

/** Runs it on stacks that do not start. */
async function measured(base: Parameters<typeof measure>[1]["base"]) {
  const lines: string[] = [];
  const workers: number[] = [];
  const { found, replaced } = await measure(DIAGNOSES, {
    catalogue: [{ ...EXPERIMENT, name: "scale-up" }, EXPERIMENT],
    base,
    concurrency: 4,
    stacks: {
      name: "none",
      start: ({ concurrency }) => {
        workers.push(concurrency);
        return Promise.reject(new Failure("environment", "No server is up"));
      },
    },
    signal: new AbortController().signal,
    onLine: (line) => lines.push(line),
  });
  return { found, replaced, lines, workers };
}

const REPLACED = ['cluster "a": is called "grpc-server"'];

const own = () => ({
  ...{ config: parseEnvoyConfig(), name: "my.yaml" },
  replaced: REPLACED,
});

Deno.test("measure() runs the experiment of each finding once, with its workers", async () => {
  const { found, replaced, lines, workers } = await measured(own);
  assert.deepEqual(lines, [
    "measuring 1 of 1: kill-one, 5 s",
    `to measure, replaced: ${REPLACED[0]}`,
  ]);
  assert.deepEqual(replaced, REPLACED);
  assert.deepEqual(workers, [4]);
  assert.deepEqual([...found], [
    ["kill-one", { verdict: "not run", sentence: "No server is up" }],
  ]);
});

Deno.test("measure() gives a diagnosis of a file that no stack can use", async () => {
  const { found, workers } = await measured(() => {
    throw new Failure("environment", "Cannot run a stack with my.yaml");
  });
  assert.deepEqual(workers, []);
  const sentence = "Cannot run a stack with my.yaml";
  assert.deepEqual(found.get("kill-one"), { verdict: "not run", sentence });
});

Deno.test("the doctor's reports say what was measured of each finding", () => {
  const examination = {
    name: "my.yaml",
    diagnoses: DIAGNOSES.map(({ rule }) => ({
      rule,
      findings: [{
        of: "",
        now: "so",
        place: {
          path: "",
          offset: 0,
          source: {
            name: "",
            text: "",
            positionOf: () => ({ line: 1, column: 1 }),
          },
        },
      }],
    })),
    unseen: [],
    notes: [],
  };
  for (
    const [verdict, words] of [
      [
        "broken",
        "Measured with this file, kill-one broke its promise: 3 calls lost",
      ],
      [
        "held",
        "Measured with this file, kill-one kept all of its promises: 3 calls lost",
      ],
      [
        "unknown",
        "Measured with this file, kill-one cannot tell: 3 calls lost",
      ],
      ["not run", "Not measured: 3 calls lost"],
    ] as const
  ) {
    const one = { verdict, sentence: "3 calls lost" };
    const measured = {
      found: new Map([["kill-one", one]]),
      replaced: REPLACED,
    };
    const lines = reportLines(examination, 42, measured);
    // "missing-cluster" has no experiment.
    assert.equal(lines.filter((line) => line.trim() === words).length, 2);
    const { runs: [{ results, properties }] } = JSON.parse(
      reportSarif(examination, DOCTOR_RULES, "1", measured),
    );
    assert.deepEqual(properties, { replaced: REPLACED });
    assert.deepEqual(
      results.map(({ message }: { message: { text: string } }) =>
        message.text.endsWith(`${words}.`)
      ),
      [true, true, false],
    );
    const { findings, replaced } = JSON.parse(
      reportJson(examination, measured),
    );
    assert.deepEqual(replaced, REPLACED);
    assert.deepEqual(
      findings.map(({ measured }: { measured: unknown }) => measured),
      [one, one, null],
    );
  }
});
