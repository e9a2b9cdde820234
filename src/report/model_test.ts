import assert from "node:assert/strict";
import { call, calls, history } from "../experiment/_history.ts";
import { chartsOf } from "./model.ts";

Deno.test("chartsOf() puts calls into half seconds, as rates", () => {
  const charts = chartsOf(history({
    load: { ...history().load, durationMs: 1500 },
    durationMs: 1510,
    calls: [
      call({ startMs: 0 }),
      call({ startMs: 499, latencyMs: 9 }),
      call({ startMs: 500, server: "server-10" }),
      call({ startMs: 999, server: "server-2" }),
      call({ startMs: 9, status: "UNAVAILABLE", failedAsMeant: true }),
      call({ startMs: 1480, status: "UNAVAILABLE", server: "" }),
    ],
  }));
  assert.deepEqual(charts.seconds, [0.25, 0.75, 1.25]);
  assert.deepEqual(Object.entries(charts.perServer), [
    ["server-1", [4, 0, 0]],
    ["server-2", [0, 2, 0]],
    ["server-10", [0, 2, 0]],
  ]);
  assert.deepEqual(charts.errors, {
    "as meant: UNAVAILABLE": [2, 0, 0],
    "lost: UNAVAILABLE": [0, 0, 2],
  });
  assert.deepEqual(charts.latencyMs["max"], [9, 5, null]);
});

Deno.test("chartsOf() lets no rate fall as an interval is not whole, or as the load has ended", () => {
  const load = { ...history().load, durationMs: 1200 };
  const { perServer, errors, seconds } = chartsOf(history({
    load,
    durationMs: 2000,
    calls: [...calls(120), call({ startMs: 1199, status: "INTERNAL" })],
  }));
  assert.equal(seconds.length, 4);
  // The last 200 ms are a part of the interval before, at the same rate.
  assert.deepEqual(perServer["server-1"], [100, 100, null, null]);
  assert.deepEqual(Object.values(errors)[0]?.slice(2), [null, null]);
});

Deno.test("chartsOf() shows servers as Envoy last knew them", () => {
  const sample = (atMs: number, healthy: number) => ({
    atMs,
    stats: { membership_healthy: healthy, membership_total: 3 },
    hosts: [],
  });
  const { servers } = chartsOf(history({
    durationMs: 2000,
    samples: [sample(600, 3), sample(900, 2)],
  }));
  assert.deepEqual(servers, {
    healthy: [null, 2, 2, 2],
    all: [null, 3, 3, 3],
  });
});

Deno.test("chartsOf() marks events, and has a place for a run without any", () => {
  const events = [{ label: "kill", startMs: 1500, endMs: 2500 }];
  assert.deepEqual(
    chartsOf(history({ events, durationMs: 3000 })).marks,
    [{ label: "kill", fromS: 1.5, toS: 2.5 }],
  );
  assert.deepEqual(chartsOf(history({ durationMs: 0 })).seconds, [0.25]);
});
