import assert from "node:assert/strict";
import type { SeenCall } from "../../control/state.ts";
import { ENVOY_FROM, ENVOY_TO, legsOf, placeOf } from "./flight.js";

function call(servers: string[], status = "OK"): SeenCall {
  return { listener: "l7", servers, status, flags: "", latencyMs: 5 };
}

/** The way as points between callers, 0, and servers, 1. */
function wayOf(seen: SeenCall): unknown[] {
  return legsOf(seen).filter(({ from, to }) => from !== to)
    .map(({ to, server, what }) => [to, server, what]);
}

Deno.test("legsOf() goes to the server and back", () => {
  assert.deepEqual(wayOf(call(["a"])), [
    [1, "a", "request"],
    [0, "a", "answer"],
  ]);
});

Deno.test("legsOf() fails on the first server and goes on to the next", () => {
  assert.deepEqual(wayOf(call(["a", "b"])), [
    [1, "a", "request"],
    [ENVOY_TO, "a", "failure"],
    [1, "b", "request"],
    [0, "b", "answer"],
  ]);
});

Deno.test("legsOf() fails at Envoy when there is no server", () => {
  assert.deepEqual(wayOf(call([], "UNAVAILABLE")), [
    [ENVOY_FROM, undefined, "request"],
    [0, undefined, "failure"],
  ]);
});

Deno.test("legsOf() stops short of a server that nobody names", () => {
  const [first] = legsOf(call(["", "b"]));
  assert.ok(first && first.to > ENVOY_TO && first.to < 1);
});

Deno.test("legsOf() rests on a slow server, but not for ever", () => {
  const endMs = (latencyMs: number) =>
    legsOf({ ...call(["a"]), latencyMs }).at(-1)?.endMs ?? 0;
  assert.equal(endMs(5), 600);
  assert.ok(endMs(260) > endMs(60));
  assert.equal(endMs(60_000), 1200);
});

Deno.test("placeOf() is on the way, and nowhere once it is over", () => {
  const legs = legsOf(call(["a"]));
  assert.deepEqual(placeOf(legs, 150), { index: 0, at: 0.5 });
  assert.equal(placeOf(legs, 600), undefined);
});
