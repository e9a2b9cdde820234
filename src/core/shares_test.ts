import assert from "node:assert/strict";
import { deviation, shares } from "./shares.ts";

Deno.test("shares() sorts servers by name and number", () => {
  assert.deepEqual(
    shares(new Map([["server-10", 1], ["server-2", 3], ["server-1", 4]])),
    [
      { server: "server-1", calls: 4, share: 0.5 },
      { server: "server-2", calls: 3, share: 0.375 },
      { server: "server-10", calls: 1, share: 0.125 },
    ],
  );
});

Deno.test("shares() of no call are 0", () => {
  assert.deepEqual(shares(new Map()), []);
  assert.deepEqual(shares(new Map([["a", 0]])), [
    { server: "a", calls: 0, share: 0 },
  ]);
});

for (
  const [why, calls, servers, expected] of [
    ["an even spread deviates by nothing", [100, 100, 100], 3, 0],
    ["the worst server counts", [90, 110, 100], 3, 0.1],
    ["a server that never answered counts as nothing", [100, 100], 3, 1],
    ["one server took the calls of two", [200], 2, 1],
    ["one server took the calls of three", [300], 3, 2],
    ["no call is no deviation", [], 3, 0],
    ["no server is no deviation", [], 0, 0],
    [
      "a server too many takes its part from the others",
      [75, 75, 75, 75],
      3,
      0.25,
    ],
  ] as const
) {
  Deno.test(`deviation() is ${expected}: ${why}`, () => {
    const byServer = new Map(calls.map((count, i) => [`server-${i}`, count]));
    assert.ok(Math.abs(deviation(byServer, servers) - expected) < 1e-9);
  });
}
