import assert from "node:assert/strict";
import { fieldsOf, listOf, partAt } from "../core/yaml.ts";
import { grpcCluster } from "../experiment/changes.ts";
import { type EnvoyConfig, parseEnvoyConfig } from "../stack/envoy_config.ts";
import type { Stack } from "../stack/stack.ts";
import { Watch } from "./watch.ts";

const CLUSTER = "cluster.grpc-server.";
const BREAKERS = `${CLUSTER}circuit_breakers.default.`;

/** A watch on an Envoy that always reports the same. */
function watchOf(
  config: EnvoyConfig,
  stats: Readonly<Record<string, number>>,
): Watch {
  const stack = {
    admin: {
      stats: (filter: string) =>
        Promise.resolve(
          new Map(
            Object.entries({ "server.live": 1, ...stats })
              .filter(([name]) => new RegExp(filter).test(name)),
          ),
        ),
      hosts: () => Promise.resolve([]),
    },
  };
  return new Watch(stack as unknown as Stack, config);
}

/** envoy.yaml with this in place of the limits of calls. */
function withThreshold(threshold: Record<string, unknown>): EnvoyConfig {
  const config = parseEnvoyConfig();
  grpcCluster(config)["circuit_breakers"] = {
    thresholds: [{ priority: "HIGH", max_retries: 77 }, threshold],
  };
  return config;
}

for (
  const [what, config, stats, allowed, left] of [
    ["a budget's minimum, with few retries", parseEnvoyConfig(), {}, 20, [
      18,
      20,
    ]],
    [
      "a budget's minimum, with at least three retries",
      parseEnvoyConfig(),
      { [`${BREAKERS}rq_retry_open`]: 1 },
      20,
      [0, 17],
    ],
    [
      "a budget's share of the calls that run and wait",
      parseEnvoyConfig(),
      {
        [`${CLUSTER}upstream_rq_active`]: 150,
        [`${CLUSTER}upstream_rq_pending_active`]: 52,
      },
      40,
      [38, 40],
    ],
    [
      "a budget without numbers, which has Envoy's",
      withThreshold({ retry_budget: {} }),
      {},
      3,
      [1, 3],
    ],
    [
      "no budget, tracked",
      withThreshold({ track_remaining: true }),
      { [`${BREAKERS}remaining_retries`]: 1, [`${BREAKERS}rq_retry_open`]: 0 },
      3,
      [1, 1],
    ],
    [
      "no budget, not tracked",
      withThreshold({ max_retries: 5 }),
      { [`${BREAKERS}remaining_retries`]: 0 },
      5,
      [1, 5],
    ],
    [
      "no budget, and none left",
      withThreshold({ max_retries: 5 }),
      { [`${BREAKERS}rq_retry_open`]: 1 },
      5,
      [0, 0],
    ],
  ] as const
) {
  Deno.test(`Watch knows the retries that may start: ${what}`, async () => {
    const watch = watchOf(config, stats);
    await watch.askEnvoy();
    const { retriesAllowed, retriesLeft } = watch.envoy;
    assert.equal(retriesAllowed, allowed);
    assert.deepEqual([retriesLeft.min, retriesLeft.max], left);
  });
}

Deno.test("Watch does not call a retry budget exhausted at three retries", async () => {
  const stats = {
    [`${BREAKERS}rq_retry_open`]: 1,
    [`${BREAKERS}rq_open`]: 1,
    [`${CLUSTER}circuit_breakers.high.cx_open`]: 1,
  };
  const watch = watchOf(parseEnvoyConfig(), stats);
  await watch.askEnvoy();
  assert.deepEqual(watch.envoy.openBreakers, ["rq_open", "cx_open (streams)"]);
  watch.noteConfig(withThreshold({ max_requests: 512 }));
  await watch.askEnvoy();
  assert.deepEqual(watch.envoy.openBreakers, [
    ...["rq_retry_open", "rq_open", "cx_open (streams)"],
  ]);
});

Deno.test("Watch has the limits of the configuration that Envoy has now", async () => {
  const config = parseEnvoyConfig();
  const watch = watchOf(config, {});
  await watch.askEnvoy();
  assert.equal(watch.envoy.retriesAllowed, 20);
  const thresholds = listOf(
    partAt(grpcCluster(config), "circuit_breakers")["thresholds"],
  );
  for (const one of thresholds) delete fieldsOf(one)["retry_budget"];
  watch.noteConfig(config);
  await watch.askEnvoy();
  assert.equal(watch.envoy.retriesAllowed, 3);
});
