import assert from "node:assert/strict";
import type { Snapshot } from "./history.ts";
import { history, snapshot } from "./_history.ts";
import {
  memoryAtMost,
  memoryGrowsAtMost,
  noServerStartedAgain,
} from "./memory.ts";

function measuresOf(program: string, values: readonly number[]) {
  return values.map((value) => ({
    name: `memory of ${program}`,
    value,
    atMs: 0,
  }));
}

Deno.test("memoryAtMost() looks at the most of each program", () => {
  const judge = memoryAtMost(["server-1", "server-2"], 256);
  const verdictOf = (one: readonly number[], two: readonly number[]) =>
    judge(history({
      measures: [
        ...measuresOf("server-1", one),
        ...measuresOf("server-2", two),
      ],
    })).verdict;
  assert.equal(verdictOf([100, 256, 90], [80]), "held");
  assert.equal(verdictOf([100, 257, 90], [80]), "broken");
  assert.equal(verdictOf([100], []), "unknown");
});

Deno.test("memoryGrowsAtMost() compares the most with the first", () => {
  const judge = memoryGrowsAtMost(["envoy"], 20);
  const verdicts = [[], [50], [50, 70, 55], [50, 71, 55]]
    .map((values) =>
      judge(history({ measures: measuresOf("envoy", values) })).verdict
    );
  assert.deepEqual(verdicts, ["unknown", "unknown", "held", "broken"]);
});

Deno.test("noServerStartedAgain() looks at how long each has run", () => {
  const snapshotOf = (uptimeMs: number | undefined): Snapshot =>
    snapshot({
      counters: uptimeMs === undefined
        ? {}
        : { "server-1": { server: "server-1", uptimeMs, methods: [] } },
    });
  const verdictOf = (beforeMs?: number, afterMs?: number) =>
    noServerStartedAgain()(history({
      durationMs: 10_000,
      before: snapshotOf(beforeMs),
      after: snapshotOf(afterMs),
    })).verdict;
  assert.equal(verdictOf(2000, 12_300), "held");
  assert.equal(verdictOf(20_000, 4000), "broken");
  assert.equal(verdictOf(2000, 4000), "broken");
  assert.equal(verdictOf(2000, undefined), "broken");
  assert.equal(verdictOf(undefined, undefined), "broken");
});
