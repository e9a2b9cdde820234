import assert from "node:assert/strict";
import { call, history } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { slowStartShare } from "./slow_start.ts";

const JOINED = { label: "server-4 is healthy", startMs: 1000, endMs: 1000 };

Deno.test("slow-start: the calls in the first half of the window count", () => {
  const judge = judgeOf(slowStartShare, "some");
  const verdictOf = (count: number, startMs: number) =>
    judge(history({
      events: [JOINED],
      calls: Array.from(
        { length: count },
        () => call({ server: "server-4", startMs }),
      ),
    })).verdict;
  assert.equal(verdictOf(6, 1000), "held");
  assert.equal(verdictOf(5, 2499), "broken");
  assert.equal(verdictOf(6, 2500), "broken");
  assert.equal(judge(history()).verdict, "unknown");
});
