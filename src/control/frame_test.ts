import assert from "node:assert/strict";
import { FrameOfCalls } from "./frame.ts";
import type { SeenCall } from "./state.ts";

const call = (latencyMs: number): SeenCall => ({
  ...{ listener: "l7", servers: ["a"], status: "OK", flags: "", latencyMs },
});

Deno.test("FrameOfCalls hands out all calls while they are few, once", () => {
  const frame = new FrameOfCalls();
  assert.equal(frame.take(), undefined);
  frame.add(call(1));
  frame.add(call(2));
  assert.deepEqual(frame.take(), { calls: [call(1), call(2)], total: 2 });
  assert.equal(frame.take(), undefined);
});

Deno.test("FrameOfCalls hands out a sample of many that favours none", () => {
  let state = 1;
  const random = () => (state = state * 16807 % 2147483647) / 2147483647;
  const frame = new FrameOfCalls(random);
  let early = 0;
  for (let round = 0; round < 200; round += 1) {
    for (let at = 0; at < 300; at += 1) frame.add(call(at));
    const { calls = [], total } = frame.take() ?? {};
    assert.equal(total, 300);
    assert.equal(calls.length, 30);
    early += calls.filter(({ latencyMs }) => latencyMs < 150).length;
  }
  assert.ok(Math.abs(early / 6000 - 0.5) < 0.03, `${early} of 6000`);
});
