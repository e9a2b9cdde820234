import assert from "node:assert/strict";
import { Seconds, SECONDS_KEPT } from "./seconds.ts";
import type { SeenCall } from "./state.ts";

const CALL: SeenCall = {
  listener: "l7",
  servers: ["server-1"],
  status: "OK",
  flags: "",
  latencyMs: 2,
};

Deno.test("Seconds counts answers, errors, retries and latencies", () => {
  const seconds = new Seconds(1000);
  seconds.addCall(CALL);
  seconds.addCall({ ...CALL, servers: ["", "server-2"] });
  seconds.addCall({ ...CALL, listener: "l4" });
  seconds.addCall({ ...CALL, servers: [], status: "UNAVAILABLE", flags: "UH" });
  seconds.addLatency("l7", 5);
  seconds.addOverflows(3);
  const { latencyMs, ...second } = seconds.next(2000);
  assert.deepEqual(second, {
    atMs: 1000,
    answers: { l7: { "server-1": 1, "server-2": 1 }, l4: { "server-1": 1 } },
    errors: { "UNAVAILABLE UH": 1 },
    retries: 1,
    overflows: 3,
  });
  assert.equal(latencyMs.l4, null);
  assert.ok(Math.abs((latencyMs.l7?.p50 ?? 0) - 5) < 0.1);
  assert.deepEqual(seconds.next(3000).answers, { l7: {}, l4: {} });
});

Deno.test("Seconds keeps five minutes, and few names", () => {
  const seconds = new Seconds(0);
  for (let name = 0; name < 1000; name += 1) {
    seconds.addCall({ ...CALL, servers: [`server-${name}`] });
  }
  const { l7 } = seconds.next(0).answers;
  assert.ok(Object.keys(l7).length < 70);
  const sum = Object.values(l7).reduce((total, one) => total + one, 0);
  assert.equal(sum, 1000);
  for (let second = 0; second < 1000; second += 1) seconds.next(second);
  assert.equal(seconds.kept.length, SECONDS_KEPT);
  assert.equal(seconds.kept.at(-1)?.atMs, 998);
});
