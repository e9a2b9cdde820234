/** The promises of the demo on the native stack, each measured. */
import assert from "node:assert/strict";
import { configWith } from "../src/control/protections.ts";
import { Greeter } from "../src/io/proto.ts";
import { callUnary, connect } from "../src/io/rpc.ts";
import {
  type EnvoyConfig,
  GRPC_CLUSTER,
  parseEnvoyConfig,
} from "../src/stack/envoy_config.ts";
import { DISCOVERY_KINDS, type NativeStack } from "../src/stack/native.ts";
import { chooseBaseId } from "../src/stack/shared_memory.ts";
import {
  awaitHealthy,
  callDuring,
  callMany,
  total,
  withStack,
} from "./stacks.ts";

const NO_ERRORS = new Map<string, number>();

async function statOf(
  stack: Parameters<Parameters<typeof withStack>[1]>[0],
  name: string,
): Promise<number | undefined> {
  const full = `cluster.${GRPC_CLUSTER}.${name}`;
  return (await stack.admin.stats(`^${full}$`)).get(full);
}

for (const discovery of DISCOVERY_KINDS) {
  Deno.test(`${discovery}: 3,000 calls on one connection: L7 spreads them, L4 does not`, async () => {
    await withStack({ discovery }, async (stack) => {
      const balanced = await callMany(stack.endpoint, 3000);
      assert.deepEqual(balanced.errors, NO_ERRORS);
      assert.equal(balanced.servers.size, 3);
      for (const [server, calls] of balanced.servers) {
        assert.ok(Math.abs(calls - 1000) <= 1, `${server} has ${calls}`);
      }

      const pinned = await callMany(stack.l4Endpoint, 3000);
      assert.deepEqual(pinned.errors, NO_ERRORS);
      assert.deepEqual([...pinned.servers.values()], [3000]);

      // Three ledgers: what callers saw, servers counted and Envoy counted.
      const counters = await Promise.all(
        stack.servers().map(({ name }) => stack.counters(name)),
      );
      const served = counters.flatMap(({ methods }) => methods)
        .reduce((sum, { ok }) => sum + ok, 0);
      assert.equal(served, 6000);
      assert.equal(await statOf(stack, "upstream_rq_total"), 3000);
    });
  });

  Deno.test(`${discovery}: every server is healthy and Envoy does not panic`, async () => {
    await withStack({ discovery }, async (stack) => {
      const hosts = await stack.admin.hosts(GRPC_CLUSTER);
      assert.deepEqual(
        hosts.map(({ address, flags }) => [address, flags]).sort(),
        stack.servers().map(({ address }) => [address, []]).sort(),
      );
      await callMany(stack.endpoint, 30);
      assert.equal(await statOf(stack, "membership_healthy"), 3);
      assert.equal(await statOf(stack, "lb_healthy_panic"), 0);
      assert.equal(await statOf(stack, "health_check.failure"), 0);
    });
  });

  Deno.test(`${discovery}: a health check that names an unknown service is told`, async () => {
    const config: EnvoyConfig = parseEnvoyConfig();
    for (const cluster of config.static_resources.clusters) {
      if (cluster["health_checks"] === undefined) continue;
      const [check] = structuredClone(cluster["health_checks"]) as {
        grpc_health_check: { service_name: string };
      }[];
      assert.ok(check);
      check.grpc_health_check.service_name = "nobody.registered.This";
      cluster["health_checks"] = [check];
    }
    await assert.rejects(
      withStack(
        { discovery, config, healthyLimitMs: 3000 },
        () => Promise.resolve(),
      ),
      {
        name: "Failure",
        kind: "environment",
        message:
          /^Envoy has not found 3 healthy servers within 3000 ms: .*failed_active_health_check.*service_name/,
      },
    );
  });

  Deno.test(`${discovery}: kill -9 of a server under load loses no call`, async () => {
    await withStack({ discovery }, async (stack) => {
      let unhealthyMs = Infinity;
      const tally = await callDuring(stack.endpoint, 200, async () => {
        await callMany(stack.endpoint, 200, { concurrency: 1 });
        await stack.stop("server-2", "SIGKILL");
        unhealthyMs = await awaitHealthy(stack, 2);
        await stack.start("server-2");
        await awaitHealthy(stack, 3);
      });
      assert.deepEqual(tally.errors, NO_ERRORS);
      assert.ok(total(tally.servers) > 200, "too few calls to tell");
      assert.ok(unhealthyMs <= 1500, `unhealthy after ${unhealthyMs} ms`);

      const after = await callMany(stack.endpoint, 300);
      assert.equal(after.servers.get("server-2"), 100);
    });
  });

  Deno.test(`${discovery}: SIGTERM loses no call, finishes those in flight and exits 0`, async () => {
    await withStack({ discovery }, async (stack, lines) => {
      const slow = callMany(stack.endpoint, 20, {
        concurrency: 20,
        workMs: 1500,
      });
      const tally = await callDuring(stack.endpoint, 200, async () => {
        await callMany(stack.endpoint, 200, { concurrency: 1 });
        const status = await stack.stop("server-1", "SIGTERM");
        assert.deepEqual(status, { code: 0, signal: null });
        await awaitHealthy(stack, 2);
      });
      assert.deepEqual(tally.errors, NO_ERRORS);
      const { errors, servers } = await slow;
      assert.deepEqual(errors, NO_ERRORS);
      assert.equal(total(servers), 20);
      const own = lines.filter((line) => line.startsWith("server-1 |"));
      assert.ok(
        own.some((line) => /health checkers to see it: 2/.test(line)),
        own.join("\n"),
      );
      assert.ok(!own.some((line) => /gave up|cutting/.test(line)));
    });
  });

  Deno.test(`${discovery}: scaling 3 to 5 to 2 under load loses no call`, async () => {
    await withStack({ discovery }, async (stack) => {
      const tally = await callDuring(stack.endpoint, 200, async () => {
        await stack.scale(5);
        await awaitHealthy(stack, 5);
        const five = await callMany(stack.endpoint, 500, { concurrency: 1 });
        assert.equal(five.servers.size, 5);
        await stack.scale(2);
        await awaitHealthy(stack, 2);
      });
      assert.deepEqual(tally.errors, NO_ERRORS);
      const two = await callMany(stack.endpoint, 200);
      assert.deepEqual(
        two.servers,
        new Map([["server-1", 100], ["server-2", 100]]),
      );
    });
  });

  Deno.test(`${discovery}: a message over the limit is refused and not retried`, async () => {
    await withStack({ discovery }, async (stack) => {
      const client = connect(Greeter, stack.endpoint);
      await assert.rejects(
        callUnary(
          client,
          "SayHello",
          { name: "x".repeat(1_500_000), workMs: 0 },
          { deadlineMs: 5000 },
        ),
        { code: 8, details: /larger than max \(1500\d+ vs 1048576\)/ },
      );
      client.close();
      assert.equal(await statOf(stack, "upstream_rq_retry"), 0);
      const after = await callMany(stack.endpoint, 30);
      assert.deepEqual(after.errors, NO_ERRORS);
    });
  });
}

/** Connections to a port of this machine that were closed lately. */
function closedTo(port: number): number {
  const TIME_WAIT = "06";
  const remote = new RegExp(
    `:${port.toString(16).toUpperCase().padStart(4, "0")} ${TIME_WAIT} `,
  );
  return Deno.readTextFileSync("/proc/net/tcp").split("\n")
    .filter((line) => remote.test(line)).length;
}

Deno.test({
  name: "a server's counters are read on one connection",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await withStack({ servers: 1 }, async (stack) => {
      const [server] = stack.servers();
      assert.ok(server);
      const port = Number(server.address.split(":")[1]);
      const read = () => stack.counters(server.name);
      for (let time = 0; time < 20; time += 1) await read();
      assert.equal(closedTo(port), 0);
      await stack.stop(server.name, "SIGKILL");
      await stack.start(server.name);
      await read(); // The server is another one, at the same address.
    });
  },
});

/** What is switched over after each of three switches. */
const SWITCHES = [["retries"], ["retries", "least-request"], []];

for (
  const [what, isKept, change] of [
    [
      "switching protections loses no call: Envoy hands its sockets over",
      true,
      (stack: NativeStack, config: EnvoyConfig) => stack.replaceEnvoy(config),
    ],
    [
      "control: an Envoy that ends before the next one begins loses some",
      false,
      async (
        stack: NativeStack,
      ) => {
        await stack.stopEnvoy("SIGTERM");
        await stack.startEnvoy();
      },
    ],
  ] as const
) {
  Deno.test(what, async () => {
    await withStack({ baseId: chooseBaseId() }, async (stack) => {
      const { errors, servers } = await callDuring(
        stack.endpoint,
        200,
        async () => {
          for (const turned of SWITCHES) {
            await callMany(stack.endpoint, 500, { concurrency: 1 });
            await change(
              stack,
              configWith(parseEnvoyConfig(), new Set(turned)),
            );
            await awaitHealthy(stack, 3);
          }
        },
      );
      assert.ok(total(servers) > 200, "too few calls to tell");
      if (isKept) assert.deepEqual(errors, NO_ERRORS);
      else assert.ok(total(errors) > 0, "nothing was lost");
    });
  });
}
