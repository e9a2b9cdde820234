/** The judges of the experiments in which a peer misbehaves. */
import assert from "node:assert/strict";
import { calls, history, snapshot } from "../src/experiment/_history.ts";
import type { Snapshot } from "../src/experiment/authors.ts";
import { cancelledOnServers } from "./cancel_storm.ts";
import { saidBy } from "./malformed.ts";
import { takenAtMost } from "./rapid_reset.ts";

/** A server that has counted so many cancelled calls. */
function cancelled(count: number): Snapshot {
  const method = {
    method: "SayHello",
    started: count,
    ok: 0,
    failed: 0,
    cancelled: count,
    inFlight: 0,
    inFlightMax: 1,
  };
  const server = { server: "server-1", uptimeMs: 1, methods: [method] };
  return snapshot({ counters: { "server-1": server } });
}

Deno.test("cancelledOnServers() needs 90 % of the calls", () => {
  const verdicts = [189, 190].map((after) =>
    cancelledOnServers(history({
      extraCalls: 100,
      before: cancelled(100),
      after: cancelled(after),
    })).verdict
  );
  assert.deepEqual(verdicts, ["broken", "held"]);
});

Deno.test("takenAtMost() leaves the recorder's calls out", () => {
  const name = "http.grpc.downstream_rq_total";
  const verdicts = [560, 561].map((all) =>
    takenAtMost(500)(history({
      calls: calls(60),
      before: snapshot({ stats: { [name]: 0 } }),
      after: snapshot({ stats: { [name]: all } }),
    })).verdict
  );
  assert.deepEqual(verdicts, ["held", "broken"]);
});

Deno.test("saidBy() wants every server's own line", () => {
  const line = (server: string) =>
    `${server}: ended the connection with 127.0.0.1:40000: settings`;
  const verdictOf = (lines: readonly string[]) =>
    saidBy(history({ setup: { servers: 2 }, lines })).verdict;
  assert.equal(verdictOf([line("server-1"), line("server-2")]), "held");
  assert.equal(verdictOf([line("server-1"), line("server-1")]), "broken");
  assert.equal(verdictOf([]), "broken");
});
