import assert from "node:assert/strict";
import type { CallRecord } from "../core/caller.ts";
import { TlsTrouble } from "./tls_trouble.ts";

function failed(code: string): CallRecord {
  return { kind: "error", code, details: "closed", call: 1, latencyMs: 1 };
}

Deno.test("explain() says what is wrong with TLS, asking once a second", async () => {
  let asked = 0;
  let nowMs = 0;
  const trouble = new TlsTrouble(() => {
    asked += 1;
    return Promise.resolve(`reason ${asked}`);
  }, () => nowMs);
  const details = async () => {
    const call = await trouble.explain(failed("UNAVAILABLE"));
    return call.kind === "error" ? call.details : "";
  };
  assert.equal(await details(), "reason 1");
  nowMs = 999;
  assert.equal(await details(), "reason 1");
  nowMs = 1000;
  assert.equal(await details(), "reason 2");
});

Deno.test("explain() leaves calls alone whose failure has nothing to do with TLS", async () => {
  let asked = 0;
  const trouble = new TlsTrouble(() => {
    asked += 1;
    return Promise.resolve(undefined);
  }, () => 0);
  const reply: CallRecord = {
    ...{ kind: "reply", server: "server-1", number: 1 },
    ...{ call: 1, latencyMs: 1 },
  };
  for (const call of [reply, failed("DEADLINE_EXCEEDED")]) {
    assert.equal(await trouble.explain(call), call);
  }
  assert.equal(asked, 0);
  const call = failed("UNAVAILABLE");
  assert.equal(await trouble.explain(call), call);
  assert.equal(asked, 1);
});
