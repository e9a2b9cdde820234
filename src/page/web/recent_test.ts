import assert from "node:assert/strict";
import { LATENCY_S } from "../../control/latencies.ts";
import type { Second } from "../../control/state.ts";
import {
  connectionsByServer,
  KEPT_S,
  RECENT_S,
  sharesOf,
  withSecond,
} from "./recent.js";

function second(at: number, l4: Record<string, number> = {}): Second {
  return {
    atMs: at * 1000,
    answers: { l7: {}, l4 },
    latencyMs: { l7: null, l4: null },
    errors: {},
    retries: 0,
    overflows: 0,
  };
}

Deno.test("withSecond() keeps five minutes, in order, and none twice", () => {
  let seconds: Second[] = [];
  for (let at = 0; at < KEPT_S + 5; at++) {
    seconds = withSecond(seconds, second(at));
  }
  seconds = withSecond(seconds, second(7, { a: 1 }));
  assert.equal(seconds.length, KEPT_S);
  assert.deepEqual(seconds[2], second(7, { a: 1 }));
});

Deno.test("a card's shares and its latencies are of the same seconds", () => {
  assert.equal(RECENT_S, LATENCY_S);
});

Deno.test("sharesOf() counts the last ten seconds only", () => {
  const seconds = [
    second(1, { a: 9 }),
    second(2, { a: 1 }),
    second(11, { b: 3 }),
  ];
  const { total, answers, seconds: known } = sharesOf(seconds, "l4");
  assert.equal(total, 4);
  assert.deepEqual([...answers], [["a", 1], ["b", 3]]);
  assert.equal(known, 2);
});

Deno.test("connectionsByServer() gives each connection to one server", () => {
  const rows: [string, number, Second[], string[]][] = [
    ["nobody answers", 2, [second(1)], []],
    ["all are pinned to one", 3, [second(1, { b: 60 })], ["b", "b", "b"]],
    ["by their shares", 3, [second(1, { b: 25, a: 35 })], ["a", "a", "b"]],
    [
      "a new connection counts at once",
      1,
      [second(1, { a: 60 }), second(2, { b: 60 })],
      ["b"],
    ],
    [
      "few answers are gathered over some seconds",
      2,
      [second(1, { a: 1 }), second(2, { b: 1 })],
      ["a", "b"],
    ],
  ];
  for (const [about, connections, seconds, expected] of rows) {
    const found = connectionsByServer(connections, seconds, "l4");
    assert.deepEqual(found, expected, about);
  }
});
