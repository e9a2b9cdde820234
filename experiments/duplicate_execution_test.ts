import assert from "node:assert/strict";
import { calls, history, snapshot } from "../src/experiment/_history.ts";
import { judgeOf } from "./_claims.ts";
import { duplicateExecution } from "./duplicate_execution.ts";

function startedBy(server: string, started: number) {
  const method = {
    method: "SayHello",
    started,
    ok: started,
    failed: 0,
    cancelled: 0,
    inFlight: 0,
    inFlightMax: 1,
  };
  return { [server]: { server, uptimeMs: 1, methods: [method] } };
}

Deno.test("duplicate-execution: the starts of all servers are compared", () => {
  const judge = judgeOf(duplicateExecution, "twice");
  const before = snapshot({ counters: startedBy("server-1", 4) });
  for (const [second, verdict] of [[31, "held"], [30, "broken"]] as const) {
    const counters = {
      ...startedBy("server-1", 34),
      ...startedBy("server-2", second),
    };
    const after = snapshot({ counters });
    const found = judge(history({ calls: calls(60), before, after }));
    assert.equal(found.verdict, verdict);
  }
});
