import assert from "node:assert/strict";
import { busyWords, type Disturbance, sharesBetween } from "./disturbance.ts";

const QUIET: Disturbance = {
  timersLateMs: 4,
  othersShare: 0.05,
  stolenShare: 0.01,
};

const START = { total: 1000, busy: 100, stolen: 10, own: new Map([[7, 50]]) };

Deno.test("sharesBetween() leaves out what is our own", () => {
  const end = {
    total: 2000,
    busy: 700,
    stolen: 60,
    own: new Map([[7, 250], [8, 100]]),
  };
  assert.deepEqual(sharesBetween(START, end), {
    othersShare: 0.3,
    stolenShare: 0.05,
  });
});

Deno.test("sharesBetween() is 0 where nothing can be known", () => {
  for (const end of [undefined, START]) {
    const shares = { othersShare: 0, stolenShare: 0 };
    assert.deepEqual(sharesBetween(START, end), shares);
  }
});

for (
  const [what, change, words] of [
    ["a quiet machine", {}, undefined],
    [
      "a busy one",
      { othersShare: 0.47 },
      "others took 47 % of the processor",
    ],
    ["a busy host", { stolenShare: 0.2 }, "its host took 20 %"],
    ["late timers", { timersLateMs: 88.4 }, "timers were 88 ms late"],
    [
      "timers that may be late",
      { timersLateMs: 88.4, timersLateMsMax: 100 },
      undefined,
    ],
    [
      "timers later than they may be",
      { timersLateMs: 100.6, timersLateMsMax: 100 },
      "timers were 101 ms late",
    ],
    [
      "all of them",
      { othersShare: 0.3, stolenShare: 0.3, timersLateMs: 100 },
      "others took 30 % of the processor, its host took 30 %, timers were 100 ms late",
    ],
  ] as const
) {
  Deno.test(`busyWords() has the words for ${what}`, () => {
    assert.equal(busyWords({ ...QUIET, ...change }), words);
  });
}
