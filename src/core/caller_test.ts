import assert from "node:assert/strict";
import { callLine, Ledger, summaryLines } from "./caller.ts";

function reply(server: string, latencyMs: number) {
  return { kind: "reply", server, number: 1, call: 1, latencyMs } as const;
}

function failure(code: string) {
  return { kind: "error", code, details: "no", call: 1, latencyMs: 5 } as const;
}

Deno.test("Ledger counts calls by server and errors by code", () => {
  const ledger = new Ledger();
  for (let call = 0; call < 3; call += 1) ledger.add(reply("b", 1));
  ledger.add(reply("a", 50.04));
  ledger.add(failure("UNAVAILABLE"));
  ledger.add(failure("DEADLINE_EXCEEDED"));
  ledger.add(failure("UNAVAILABLE"));
  const { latencyMs, ...counts } = ledger.summary();
  assert.deepEqual(counts, {
    calls: 7,
    succeeded: 4,
    failed: 3,
    shares: [
      { server: "a", calls: 1, share: 0.25 },
      { server: "b", calls: 3, share: 0.75 },
    ],
    errors: { UNAVAILABLE: 2, DEADLINE_EXCEEDED: 1 },
  });
  assert.deepEqual(latencyMs, { p50: 1, p95: 50, p99: 50, max: 50 });
});

Deno.test("summaryLines() prints a table of shares, latencies and errors", () => {
  const ledger = new Ledger();
  for (let call = 0; call < 3; call += 1) ledger.add(reply("server-1", 2));
  ledger.add(reply("server-2", 2));
  ledger.add(failure("UNAVAILABLE"));
  assert.deepEqual(summaryLines(ledger.summary()), [
    "",
    "5 calls, 4 succeeded, 1 failed",
    "server    calls   share",
    "server-1      3  75.0 %",
    "server-2      1  25.0 %",
    "latency p50 2 ms, p95 2 ms, p99 2 ms, max 2 ms",
    "error        calls",
    "UNAVAILABLE      1",
  ]);
});

Deno.test("Ledger has a bound for a peer that calls itself by many names", () => {
  const ledger = new Ledger();
  for (let call = 0; call < 1000; call += 1) ledger.add(reply(`s${call}`, 1));
  const { shares } = ledger.summary();
  assert.equal(shares.length, 101);
  assert.equal(shares.find(({ server }) => server === "(others)")?.calls, 900);
});

Deno.test("summaryLines() of no call is one line", () => {
  const summary = new Ledger().summary();
  assert.equal(summary.latencyMs, null);
  assert.deepEqual(summaryLines(summary), [
    "",
    "0 calls, 0 succeeded, 0 failed",
  ]);
});

Deno.test("callLine() says who answered, or what failed", () => {
  assert.equal(
    callLine({ ...reply("server-1", 1.26), call: 7, number: 3 }),
    "call 7      server-1   reply 3         1.3 ms",
  );
  assert.equal(
    callLine({ ...failure("UNAVAILABLE"), call: 8 }),
    "call 8      UNAVAILABLE                5.0 ms  no",
  );
});
