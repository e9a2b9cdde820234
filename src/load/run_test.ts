import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { REPORT } from "../core/load/_report.ts";
import type { Stack } from "../stack/stack.ts";
import { recordRun } from "./run.ts";

/** A stack of one server, with what two readings of its counters find. */
function stackOf(...started: readonly (number | Error)[]): Stack {
  const readings = [...started];
  const stack: Pick<Stack, "servers" | "counters"> & {
    readonly admin: Pick<Stack["admin"], "stats">;
  } = {
    servers: () => [{ name: "server-1", address: "", isRunning: true }],
    counters: () => {
      const reading = readings.shift() ?? new Error("read too often");
      return reading instanceof Error ? Promise.reject(reading) : Promise
        .resolve({
          uptimeMs: 0,
          maxConcurrent: 0,
          methods: [{ method: "SayHello", started: reading, statuses: [] }],
        } as unknown as Awaited<ReturnType<Stack["counters"]>>);
    },
    admin: { stats: () => Promise.resolve(new Map()) },
  };
  return stack as Stack;
}

/** Records a run of a k6 that only writes its report. */
async function recorded(stack: Stack, isReconciled = true) {
  const folder = await Deno.makeTempDir({ prefix: "run-test-" });
  try {
    const k6Path = `${folder}/k6`;
    const script = `#!/bin/sh\ncat > "$RECORD" <<'END'\n${
      JSON.stringify(REPORT)
    }\nEND\n`;
    await Deno.writeTextFile(k6Path, script, { mode: 0o755 });
    const { record } = await recordRun("constant-rate", folder, {
      k6Path,
      env: {},
      stack,
      isReconciled,
      signal: new AbortController().signal,
    });
    assert.ok(record !== undefined);
    return { record, isReportKept: existsSync(`${folder}/k6.json`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("recordRun() records ledgers and the machine's disturbance", async () => {
  const { record, isReportKept } = await recorded(stackOf(3, 703));
  assert.deepEqual(record.ledgers, { k6: 700, servers: 700, envoy: 0 });
  assert.equal(record.verdict, "held");
  assert.ok(record.disturbance !== undefined);
  assert.ok(record.disturbance.timersLateMs >= 0);
  assert.match(record.facts?.["processor cores"] ?? "", /^\d+$/);
  assert.match(record.facts?.["k6"] ?? "", /^\d+\.\d+\.\d+$/);
  // Whoever writes the record removes it.
  assert.ok(isReportKept);
});

for (
  const [what, readings] of [
    ["before", [new Error("no answer"), 700]],
    ["after", [0, new Error("no answer")]],
  ] as const
) {
  Deno.test(`recordRun() is unknown, and keeps its record, without a reading ${what}`, async () => {
    const { record } = await recorded(stackOf(...readings));
    assert.equal(record.ledgers, null);
    assert.equal(record.report.uncounted, "no answer");
    assert.equal(record.verdict, "unknown");
    assert.equal(record.report.achieved.calls, REPORT.achieved.calls);
  });
}

Deno.test("recordRun() reads no counters where Envoy does not count", async () => {
  const { record } = await recorded(stackOf(), false);
  assert.equal(record.ledgers, null);
  assert.equal(record.verdict, "held");
});
