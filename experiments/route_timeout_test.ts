import assert from "node:assert/strict";
import { calls, history, snapshot } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { routeTimeout } from "./route_timeout.ts";

const LATE = { status: "DEADLINE_EXCEEDED" };

Deno.test("route-timeout: one call that ends otherwise is told", () => {
  const judge = judgeOf(routeTimeout, "status");
  const verdictOf = (status: string) =>
    judge(history({ calls: [...calls(5, LATE), ...calls(1, { status })] }));
  assert.equal(verdictOf("DEADLINE_EXCEEDED").verdict, "held");
  assert.deepEqual(verdictOf("UNAVAILABLE"), {
    verdict: "broken",
    measured: "5 DEADLINE_EXCEEDED, 1 UNAVAILABLE",
  });
  assert.equal(judge(history()).verdict, "unknown");
});

Deno.test("route-timeout: a call that runs twice is told", () => {
  const judge = judgeOf(routeTimeout, "once");
  const started = (count: number) => {
    const one = {
      ...{ method: "SayHello", started: count, ok: count, failed: 0 },
      ...{ cancelled: 0, inFlight: 0, inFlightMax: 1 },
    };
    const counters = { server: "server-1", uptimeMs: 1, methods: [one] };
    return snapshot({ counters: { "server-1": counters } });
  };
  const verdictOf = (count: number) =>
    judge(history({
      calls: calls(5, LATE),
      before: started(2),
      after: started(2 + count),
    })).verdict;
  assert.equal(verdictOf(5), "held");
  assert.equal(verdictOf(6), "broken");
  assert.equal(verdictOf(4), "broken");
});
