import assert from "node:assert/strict";
import { call, history, host } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { ejectionCap } from "./ejection_cap.ts";

Deno.test("ejection-cap: two of three, neither more nor fewer", () => {
  const judge = judgeOf(ejectionCap, "two");
  const verdicts = [1, 2, 3].map((count) => {
    const hosts = [1, 2, 3].map((number) => ({
      ...host(`server-${number}`, 1),
      isEjected: number <= count,
    }));
    return judge(history({ samples: [{ atMs: 0, stats: {}, hosts }] })).verdict;
  });
  assert.deepEqual(verdicts, ["broken", "held", "broken"]);
  assert.equal(judge(history()).verdict, "unknown");
});

Deno.test("ejection-cap: some calls succeed while two are ejected", () => {
  const judge = judgeOf(ejectionCap, "some");
  const lost = call({ startMs: 3000, status: "UNAVAILABLE" });
  const early = call({ startMs: 100 });
  const verdictOf = (startMs: number) =>
    judge(history({ calls: [early, lost, call({ startMs })] })).verdict;
  assert.equal(verdictOf(3000), "held");
  assert.equal(verdictOf(4500), "broken");
});
