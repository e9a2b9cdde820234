import assert from "node:assert/strict";
import { EnvoysAdmin, mergedHosts, mergedStats } from "./envoys_admin.ts";
import type { AdminInterface, UpstreamHost } from "./envoy_admin.ts";

function host(address: string, flags: readonly string[]): UpstreamHost {
  return {
    address,
    flags,
    isHealthy: flags.length === 0,
    isEjected: flags.includes("failed_outlier_check"),
    stats: new Map([["rq_total", 10]]),
  };
}

Deno.test("mergedStats() adds calls, but not what each Envoy has all of", () => {
  const one = new Map([
    ["http.grpc.downstream_rq_total", 5],
    ["cluster.grpc-server.membership_healthy", 2],
    ["cluster.grpc-server.membership_total", 3],
    ["cluster.grpc-server.circuit_breakers.default.rq_open", 1],
    ["server.live", 1],
  ]);
  const other = new Map([
    ["http.grpc.downstream_rq_total", 7],
    ["cluster.grpc-server.membership_healthy", 3],
    ["cluster.grpc-server.membership_total", 4],
    ["cluster.grpc-server.circuit_breakers.default.rq_open", 0],
    ["server.live", 0],
    ["cluster.grpc-server.upstream_rq_retry", 1],
  ]);
  assert.deepEqual(Object.fromEntries(mergedStats([one, other])), {
    "http.grpc.downstream_rq_total": 12,
    "cluster.grpc-server.membership_healthy": 2,
    "cluster.grpc-server.membership_total": 4,
    "cluster.grpc-server.circuit_breakers.default.rq_open": 1,
    "server.live": 0,
    "cluster.grpc-server.upstream_rq_retry": 1,
  });
});

Deno.test("mergedHosts() calls healthy only what every Envoy does", () => {
  const merged = mergedHosts([
    [host("a", []), host("b", []), host("c", [])],
    [host("a", []), host("b", ["failed_active_health_check"])],
  ]);
  assert.deepEqual(
    merged.map(({ address, isHealthy, flags }) => ({
      address,
      isHealthy,
      flags,
    })),
    [
      { address: "a", isHealthy: true, flags: [] },
      { address: "b", isHealthy: false, flags: ["failed_active_health_check"] },
      { address: "c", isHealthy: false, flags: ["unknown_to_some"] },
    ],
  );
  assert.equal(merged[0]?.stats.get("rq_total"), 20);
});

Deno.test("EnvoysAdmin without an Envoy is not live, and says so", async () => {
  const admin = new EnvoysAdmin(() => []);
  assert.equal(await admin.isReady(), false);
  assert.equal(await admin.state(), "there is no Envoy");
  await assert.rejects(admin.stats("."), {
    message: /^There is no Envoy whose admin interface could be asked; /,
  });
});

Deno.test("EnvoysAdmin is as live as its least live Envoy", async () => {
  const states = ["LIVE", "DRAINING"];
  const each = states.map((state) => ({
    state: () => Promise.resolve(state),
  } as AdminInterface));
  assert.equal(await new EnvoysAdmin(() => each).state(), "DRAINING");
  const [live] = each;
  assert.ok(live);
  assert.equal(await new EnvoysAdmin(() => [live]).isReady(), true);
});
