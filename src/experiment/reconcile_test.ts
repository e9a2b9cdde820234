import assert from "node:assert/strict";
import { calls, history, host, snapshot } from "./_history.ts";
import type { CallRecord, History } from "./history.ts";
import { reconcile } from "./reconcile.ts";

const CLUSTER = "cluster.grpc-server.";

/** What 100 calls leave behind when nothing happens; two warm-up calls. */
interface Counts {
  readonly calls: readonly CallRecord[];
  readonly downstream: number;
  readonly retries: number;
  readonly upstream: number;
  readonly started: number;
  readonly ok: number;
  readonly rqTotal: number;
  /** More of Envoy's counters, without the cluster's name. */
  readonly more: Readonly<Record<string, number>>;
}

const FINE: Counts = {
  calls: calls(100),
  downstream: 100,
  retries: 0,
  upstream: 100,
  started: 100,
  ok: 100,
  rqTotal: 100,
  more: {},
};

function counters(started: number, ok: number) {
  const others = { failed: 0, cancelled: 0, inFlight: 0, inFlightMax: 1 };
  const methods = [{ method: "SayHello", started, ok, ...others }];
  return { "server-1": { server: "server-1", uptimeMs: 1, methods } };
}

function run(parts: Partial<Counts>, more: Partial<History> = {}): History {
  const counts = { ...FINE, ...parts };
  const stats = (add: Partial<Counts>) => ({
    "http.grpc.downstream_rq_total": 2 + (add.downstream ?? 0),
    [`${CLUSTER}upstream_rq_total`]: 2 + (add.upstream ?? 0),
    [`${CLUSTER}upstream_rq_retry`]: add.retries ?? 0,
    ...Object.fromEntries(
      Object.entries(add.more ?? {}).map(([k, v]) => [CLUSTER + k, v]),
    ),
  });
  return history({
    calls: counts.calls,
    before: snapshot({
      stats: stats({}),
      hosts: [host("server-1", 2)],
      counters: counters(2, 2),
    }),
    after: snapshot({
      stats: stats(counts),
      hosts: [host("server-1", 2 + counts.rqTotal)],
      counters: counters(2 + counts.started, 2 + counts.ok),
    }),
    ...more,
  });
}

/** The lines that do not agree, by what they begin with. */
function wrong(given: History): readonly string[] {
  return reconcile(given).filter(({ agrees }) => !agrees)
    .map(({ what }) => what.split(",")[0] ?? "");
}

Deno.test("reconcile() is exact when nothing was lost", () => {
  assert.equal(reconcile(run({})).length, 4);
  assert.deepEqual(wrong(run({})), []);
  const received = "calls that Envoy received";
  const sent = "attempts that Envoy sent to servers";
  const started = "calls that server-1 started";
  const ended = "calls that server-1 answered OK";
  const rows: readonly (readonly [Partial<Counts>, readonly string[]])[] = [
    [{ downstream: 99 }, [received, sent]],
    [{ downstream: 101 }, [received, sent]],
    [{ upstream: 101 }, [sent]],
    [{ upstream: 99 }, [sent]],
    [{ retries: 1 }, [sent]],
    [{ started: 99, ok: 99 }, [started, ended]],
    [{ started: 101 }, [started]],
    [{ ok: 99 }, [ended]],
    [{ ok: 101 }, [ended]],
    [{ rqTotal: 101 }, [started]],
  ];
  for (const [parts, lines] of rows) {
    assert.deepEqual(wrong(run(parts)), lines, JSON.stringify(parts));
  }
});

Deno.test("reconcile() counts retries and tries that found no server", () => {
  assert.deepEqual(
    wrong(run({ retries: 3, upstream: 103, started: 103, rqTotal: 103 })),
    [],
  );
  const none = { retries: 3, more: { upstream_cx_none_healthy: 3 } };
  assert.deepEqual(wrong(run(none)), []);
  assert.equal(wrong(run({ ...none, upstream: 103 })).length, 1);
  const unconnected = {
    upstream_rq_pending_total: 2,
    upstream_rq_pending_failure_eject: 5,
  };
  assert.deepEqual(wrong(run({ retries: 2, more: unconnected })), []);
  assert.deepEqual(wrong(run({ retries: 3, more: unconnected })).length, 1);
});

Deno.test("reconcile() gives lost calls room, but only that", () => {
  const lost = {
    calls: [
      ...calls(98),
      ...calls(2, { status: "UNAVAILABLE", isAnswered: false }),
    ],
    ok: 98,
  };
  assert.deepEqual(
    wrong(
      run({ ...lost, downstream: 98, upstream: 98, started: 98, rqTotal: 98 }),
    ),
    [],
  );
  const fewer = { downstream: 97, upstream: 97, started: 97, rqTotal: 97 };
  assert.deepEqual(wrong(run({ ...lost, ...fewer })), [
    "calls that Envoy received",
    "calls that server-1 answered OK",
  ]);
});

Deno.test("reconcile() allows a server that was cut off to have missed calls", () => {
  const cut = {
    actions: [{ atMs: 1, server: "server-1", kind: "pause" }],
  } as const;
  assert.deepEqual(wrong(run({ started: 90, ok: 90 }, cut)), []);
  assert.deepEqual(wrong(run({ started: 101 }, cut)).length, 1);
});

Deno.test("reconcile() has no line for counts that are gone", () => {
  const killed = run({});
  const after = { ...killed.after, counters: {} };
  assert.equal(reconcile({ ...killed, after }).length, 2);
  const actions = [{ atMs: 1, server: "", kind: "envoy" }] as const;
  assert.deepEqual(reconcile({ ...killed, actions }), []);
});

Deno.test("reconcile() knows that Envoy forgets counts with an address", () => {
  // Discovery dropped it when Envoy had sent 40 calls, and took it back.
  const gone = { atMs: 500, stats: {}, hosts: [] };
  const dropped = { samples: [gone] };
  assert.deepEqual(wrong(run({ rqTotal: 58 }, dropped)), []);
  assert.deepEqual(wrong(run({ rqTotal: 58 })).length, 1);
  const tooMany = { rqTotal: 58, started: 103 };
  assert.deepEqual(wrong(run(tooMany, dropped)), [
    "calls that server-1 started",
  ]);
});
