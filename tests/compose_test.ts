/** The promises of the demo in containers, each measured. */
import assert from "node:assert/strict";
import { GRPC_CLUSTER, parseEnvoyConfig } from "../src/stack/envoy_config.ts";
import type { ExitStatus } from "../src/io/child.ts";
import type { Stack } from "../src/stack/stack.ts";
import { waitUntil } from "../src/io/wait.ts";
import { dockerOutput, dockerTest, withContainers } from "./containers.ts";
import {
  awaitHealthy,
  callDuring,
  callMany,
  healthyCount,
  type Tally,
  total,
} from "./stacks.ts";

/** Long enough to ask a server in between, and to end before it is cut off. */
const SLOW_MS = 5000;

const NO_ERRORS = new Map<string, number>();

/** Every call was answered; if not, what Envoy says of those that were not. */
function assertNoneLost({ errors }: Tally, lines: readonly string[]): void {
  const logged = lines.filter((line) => /^envoy .*flags=(?!-)/.test(line));
  const text = [...[...errors].map(String), ...logged].join("\n");
  assert.deepEqual(errors, NO_ERRORS, text);
}

/** A run that only works because Envoy ignores health is a failure. */
async function assertHealth(stack: Stack, count: number): Promise<void> {
  assert.equal(await healthyCount(stack), count);
  const panic = `cluster.${GRPC_CLUSTER}.lb_healthy_panic`;
  assert.equal((await stack.admin.stats(`^${panic}$`)).get(panic), 0);
}

dockerTest(
  "containers: 3,000 calls through the published port are spread evenly",
  async () => {
    await withContainers({}, async (stack) => {
      await assertHealth(stack, 3);
      const tally = await callMany(stack.endpoint, 3000);
      assert.deepEqual(tally.errors, NO_ERRORS);
      const names = ["server-1", "server-2", "server-3"];
      assert.deepEqual(stack.servers().map(({ name }) => name), names);
      assert.deepEqual([...tally.servers.keys()].sort(), names);
      for (const [server, calls] of tally.servers) {
        assert.ok(Math.abs(calls - 1000) <= 1, `${server} has ${calls}`);
      }
      for (const name of names) {
        const { methods } = await stack.counters(name);
        const [sayHello] = methods;
        assert.equal(sayHello?.ok, tally.servers.get(name));
      }
      const pinned = await callMany(stack.l4Endpoint, 300);
      assert.deepEqual([...pinned.servers.values()], [300]);
      await assertHealth(stack, 3);
    });
  },
);

dockerTest(
  "containers: scaling 3 to 5 to 2 under load loses no call",
  async () => {
    await withContainers({}, async (stack, lines) => {
      const firstMs = new Map<string, number>();
      const tally = await callDuring(stack.endpoint, 200, async () => {
        const old = new Set(stack.servers().map(({ name }) => name));
        await stack.scale(5);
        await awaitHealthy(stack, 5);
        const healthyAtMs = performance.now();
        assert.equal(stack.servers().length, 5);
        const isServed = await waitUntil(async () => {
          const { servers } = await callMany(stack.endpoint, 5);
          for (const name of servers.keys()) {
            if (!old.has(name) && !firstMs.has(name)) {
              firstMs.set(name, performance.now() - healthyAtMs);
            }
          }
          return firstMs.size === 2;
        }, 3000);
        assert.ok(isServed, `new servers that serve: ${[...firstMs.keys()]}`);
        await stack.scale(2);
        await awaitHealthy(stack, 2);
      });
      assertNoneLost(tally, lines);
      assert.equal(stack.servers().length, 2);
      const two = await callMany(stack.endpoint, 200);
      assert.deepEqual([...two.servers.values()], [100, 100]);
      await assertHealth(stack, 2);
    });
  },
);

dockerTest(
  "containers: docker stop finishes 20 slow calls and loses none",
  async () => {
    await withContainers({}, async (stack, lines) => {
      const [server] = stack.servers();
      assert.ok(server);
      const slow = callMany(stack.endpoint, 66, {
        concurrency: 66,
        workMs: SLOW_MS,
      });
      const tally = await callDuring(stack.endpoint, 200, async () => {
        let inFlight = 0;
        await waitUntil(async () => {
          const { methods } = await stack.counters(server.name);
          inFlight = methods[0]?.inFlight ?? 0;
          return inFlight >= 20;
        }, SLOW_MS);
        assert.ok(inFlight >= 20, `${inFlight} calls in flight`);
        assert.deepEqual(await stack.stop(server.name, "SIGTERM"), {
          code: 0,
          signal: null,
        });
        await awaitHealthy(stack, 2);
      });
      assertNoneLost(tally, lines);
      const { errors, servers } = await slow;
      assert.deepEqual(errors, NO_ERRORS);
      assert.equal(total(servers), 66);
      assert.ok((servers.get(server.name) ?? 0) >= 20);
      const own = lines.filter((line) => line.startsWith(`${server.name} | `));
      assert.ok(
        own.some((line) => /health checkers to see it: 2/.test(line)),
      );
      assert.ok(!own.some((line) => /gave up|cutting/.test(line)));
      await assertHealth(stack, 2);

      await stack.start(server.name);
      await awaitHealthy(stack, 3);
      const after = await callMany(stack.endpoint, 300);
      assert.equal(after.servers.get(server.name), 100);
    });
  },
);

dockerTest(
  "containers: docker kill loses no call; a paused server is passed over",
  async () => {
    await withContainers({ build: false }, async (stack) => {
      const [killed, paused] = stack.servers();
      assert.ok(killed && paused);
      const tally = await callDuring(stack.endpoint, 200, async () => {
        await callMany(stack.endpoint, 100, { concurrency: 1 });
        const status = await stack.stop(killed.name, "SIGKILL");
        assert.deepEqual(status, { code: 137, signal: "SIGKILL" });
        await awaitHealthy(stack, 2);
        assert.equal(stack.servers()[0]?.isRunning, false);
        await stack.start(killed.name);
        await awaitHealthy(stack, 3);
      });
      assert.deepEqual([...tally.errors], []);
      assert.ok(total(tally.servers) > 200, "too few calls to tell");

      await stack.pause(paused.name);
      await awaitHealthy(stack, 2);
      const without = await callMany(stack.endpoint, 100);
      assert.deepEqual([...without.servers.values()], [50, 50]);
      await stack.resume(paused.name);
      await awaitHealthy(stack, 3);
      const after = await callMany(stack.endpoint, 300);
      assert.deepEqual([...after.servers.values()], [100, 100, 100]);
      await assertHealth(stack, 3);
    });
  },
);

dockerTest(
  "containers: an end that nobody has asked for is told; docker kill is final",
  async () => {
    const ends: string[] = [];
    const options = {
      ...{ build: false, servers: 2 },
      onCrash: (program: string, { signal }: ExitStatus) =>
        ends.push(`${program} ${signal}`),
    };
    await withContainers(options, async (stack) => {
      const container = (number: number) =>
        `${stack.project.name}-grpc-server-${number}`;
      // What was asked for is not told.
      await stack.stop("server-1", "SIGKILL");
      await stack.start("server-1");
      await awaitHealthy(stack, 2);

      // The program itself: the last process, below the container's init.
      const table = await dockerOutput("top", container(1), "-o", "pid");
      Deno.kill(Number(table.split("\n").at(-1)), "SIGKILL");
      assert.ok(await waitUntil(() => ends.length > 0, 10_000));
      const isRunning = async (number: number) =>
        await dockerOutput(
          ...["inspect", "--format", "{{.State.Running}}", container(number)],
        ) === "true";
      assert.ok(await waitUntil(() => isRunning(1), 10_000), "not restarted");

      await dockerOutput("kill", container(2));
      assert.ok(await waitUntil(() => ends.length > 1, 10_000));
      assert.deepEqual(ends, ["server-1 SIGKILL", "server-2 SIGKILL"]);
      await awaitHealthy(stack, 1);
      assert.equal(await isRunning(2), false);
      await stack.start("server-2");
      await awaitHealthy(stack, 2);
    });
  },
);

dockerTest("containers: an experiment's Envoy, flags and faults", async () => {
  const config = parseEnvoyConfig();
  for (const cluster of config.static_resources.clusters) {
    cluster["lb_policy"] = "RANDOM";
  }
  const options = {
    ...{ build: false, servers: 2, config, concurrency: 2, allowFaults: true },
    serverFlags: ["--max-message-bytes", "2048"],
  };
  await withContainers(options, async (stack) => {
    const info = await (await fetch(`${stack.admin.url}server_info`)).json();
    assert.equal(info.command_line_options.concurrency, 2);
    const dump = await (await fetch(`${stack.admin.url}config_dump`)).text();
    assert.match(dump, /"lb_policy": "RANDOM"/);
    const [faulty] = stack.servers();
    assert.ok(faulty);
    await stack.fault(faulty.name, {
      kind: "status",
      code: 9,
      durationMs: 60_000,
    });
    const tally = await callMany(stack.endpoint, 100);
    assert.ok(total(tally.errors) > 0, "the fault is not seen");
    await stack.clearFaults(faulty.name);
    const healed = await callMany(stack.endpoint, 100);
    assert.deepEqual(healed.errors, NO_ERRORS);
  });
});

dockerTest("containers: what Envoy refuses is a sentence", async () => {
  const config = parseEnvoyConfig();
  for (const cluster of config.static_resources.clusters) {
    if (cluster.name === GRPC_CLUSTER) cluster["connect_timeout"] = "0s";
  }
  await assert.rejects(
    withContainers(
      { build: false, config, configName: "my.yaml" },
      () => Promise.resolve(),
    ),
    {
      name: "Failure",
      message: `Envoy refuses "my.yaml": cluster "grpc-server", field ` +
        'connect_timeout is "0s": value must be greater than 0s; fix it there',
    },
  );
});
