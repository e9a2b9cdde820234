import assert from "node:assert/strict";
import {
  call,
  calls,
  history,
  host,
  snapshot,
} from "../src/experiment/_history.ts";
import type { CallRecord } from "../src/experiment/authors.ts";
import { judgeOf } from "./_claims.ts";
import { circuitBreaker } from "./circuit_breaker.ts";

const REFUSED = {
  status: "UNAVAILABLE",
  isOverloaded: true,
  attempts: 1,
} as const;

function countersOf(inFlightMax: number) {
  const method = {
    method: "SayHello",
    started: 1,
    ok: 1,
    failed: 0,
    cancelled: 0,
    inFlight: 0,
    inFlightMax,
  };
  return { server: "server-1", uptimeMs: 1, methods: [method] };
}

Deno.test("circuit-breaker: neither Envoy nor a server exceeds the limit", () => {
  const judge = judgeOf(circuitBreaker, "limit");
  const rows: readonly (readonly [number, number, string])[] = [
    [10, 4, "held"],
    [11, 4, "broken"],
    [10, 11, "broken"],
    [0, 0, "broken"], // Then there was no load.
  ];
  for (const [rqActive, inFlightMax, verdict] of rows) {
    const hosts = [{ ...host("server-1", 1), rqActive }];
    const found = judge(history({
      samples: [{ atMs: 0, stats: {}, hosts }],
      after: snapshot({ counters: { "server-1": countersOf(inFlightMax) } }),
    }));
    assert.equal(found.verdict, verdict, `${rqActive}, ${inFlightMax}`);
  }
});

Deno.test("circuit-breaker: refusals are fast, marked and final", () => {
  const judge = judgeOf(circuitBreaker, "refused");
  const rows: readonly (readonly [Partial<CallRecord>, string])[] = [
    [REFUSED, "held"],
    [{ ...REFUSED, latencyMs: 51 }, "broken"],
    [{ ...REFUSED, isOverloaded: false }, "broken"],
    [{ ...REFUSED, attempts: 2 }, "broken"],
    [{ ...REFUSED, status: "DEADLINE_EXCEEDED" }, "broken"],
    [{}, "broken"], // Nothing was refused.
  ];
  for (const [parts, verdict] of rows) {
    const found = judge(history({ calls: [call(), ...calls(60, parts)] }));
    assert.equal(found.verdict, verdict, JSON.stringify(parts));
  }
});

Deno.test("circuit-breaker: Envoy counts what callers saw", () => {
  const judge = judgeOf(circuitBreaker, "counted");
  for (const [count, verdict] of [[60, "held"], [59, "broken"]] as const) {
    const key = "cluster.grpc-server.upstream_rq_active_overflow";
    const found = judge(history({
      calls: calls(60, REFUSED),
      after: snapshot({ stats: { [key]: count } }),
    }));
    assert.equal(found.verdict, verdict);
  }
});
