import assert from "node:assert/strict";
import { call, calls, history } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { stickyCallers } from "./sticky_callers.ts";

Deno.test("sticky-callers: one call on another server is told", () => {
  const judge = judgeOf(stickyCallers, "stays");
  const verdictOf = (...others: Parameters<typeof call>) =>
    judge(history({ calls: [...calls(5), ...others.map(call)] })).verdict;
  assert.equal(verdictOf(), "held");
  assert.equal(verdictOf({ server: "server-2" }), "broken");
  // Which is lost, and the other claim says so.
  assert.equal(verdictOf({ server: "", status: "UNAVAILABLE" }), "held");
  assert.equal(judge(history()).verdict, "unknown");
});
