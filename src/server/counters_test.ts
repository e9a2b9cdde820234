import assert from "node:assert/strict";
import { Counters } from "./counters.ts";

Deno.test("Counters counts starts, ends and the most at once, by method", () => {
  let nowMs = 1000;
  const counters = new Counters("a", () => nowMs);
  const ends = [1, 2, 3].map(() => counters.start("SayHello"));
  ends[0]?.("ok");
  ends[1]?.("failed");
  counters.start("Chat")("cancelled");
  nowMs = 1500;
  assert.equal(counters.inFlight, 1);
  assert.deepEqual(counters.report(), {
    server: "a",
    uptimeMs: 500,
    methods: [
      {
        method: "SayHello",
        started: 3,
        ok: 1,
        failed: 1,
        cancelled: 0,
        inFlight: 1,
        inFlightMax: 3,
      },
      {
        method: "Chat",
        started: 1,
        ok: 0,
        failed: 0,
        cancelled: 1,
        inFlight: 0,
        inFlightMax: 1,
      },
    ],
  });
});

Deno.test("Counters counts an end once", () => {
  const counters = new Counters("a");
  const end = counters.start("SayHello");
  for (const outcome of ["ok", "cancelled", "failed", "ok"] as const) {
    end(outcome);
  }
  const [tally] = counters.report().methods;
  assert.deepEqual(
    [tally?.ok, tally?.cancelled, tally?.failed, tally?.inFlight],
    [1, 0, 0, 0],
  );
});

Deno.test("report() is a copy", () => {
  const counters = new Counters("a");
  const end = counters.start("SayHello");
  const before = counters.report();
  end("ok");
  assert.equal(before.methods[0]?.inFlight, 1);
});
