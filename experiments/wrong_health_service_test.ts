import assert from "node:assert/strict";
import { call, calls, history } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { wrongHealthService } from "./wrong_health_service.ts";

const REFUSED = { status: "UNAVAILABLE" };

Deno.test("wrong-health-service: one successful call hides it", () => {
  const judge = judgeOf(wrongHealthService, "seen");
  const refused = calls(60, REFUSED);
  assert.equal(judge(history({ calls: refused })).verdict, "held");
  assert.equal(
    judge(history({ calls: [...refused, call()] })).verdict,
    "broken",
  );
  assert.equal(judge(history()).verdict, "unknown");
});

Deno.test("wrong-health-service: refusals are quick", () => {
  const judge = judgeOf(wrongHealthService, "quick");
  const verdictOf = (parts: Parameters<typeof call>[0]) =>
    judge(history({ calls: calls(60, parts) })).verdict;
  assert.equal(verdictOf(REFUSED), "held");
  assert.equal(verdictOf({ ...REFUSED, latencyMs: 51 }), "broken");
  assert.equal(verdictOf({}), "broken");
});

Deno.test("wrong-health-service: Envoy must count none healthy", () => {
  const judge = judgeOf(wrongHealthService, "reported");
  const verdictOf = (healthy: number) =>
    judge(history({
      samples: [{ atMs: 0, stats: { membership_healthy: healthy }, hosts: [] }],
    })).verdict;
  assert.equal(verdictOf(0), "held");
  assert.equal(verdictOf(1), "broken");
  assert.equal(judge(history()).verdict, "unknown");
});
