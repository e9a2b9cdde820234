/**
 * The load tests, and their controls: each threshold is seen to fail when
 * what it guards is broken.
 */
import assert from "node:assert/strict";
import {
  type EnvoyConfig,
  GRPC_LISTENER,
  parseEnvoyConfig,
} from "../../src/stack/envoy_config.ts";
import { agrees, ledgersOf, readCounted } from "../../src/load/report.ts";
import type { NativeStack } from "../../src/stack/native.ts";
import { waitUntil } from "../../src/io/wait.ts";
import { loadCommand, withFolder } from "../load_commands.ts";
import { ABORTED, CROSSED, crossed, type Run, run } from "../load_runs.ts";
import { awaitHealthy, freePort, withStack } from "../stacks.ts";

const SLOTS = ["share_slot_1", "share_slot_2", "share_slot_3"];

async function checkLedgers(stack: NativeStack): Promise<void> {
  const before = await readCounted(stack);
  const { code, output, report } = await run("grpc.js", stack.endpoint, {
    RATE: "300",
    DURATION: "5s",
    VUS: "199",
  });
  assert.equal(code, 0, output);
  assert.ok(report);
  assert.match(output, /PASSED: all 13 thresholds hold/);
  assert.ok(Math.abs(report.achieved.calls - 1500) <= 2);
  assert.ok(report.deviationMax <= 0.01);
  const ledgers = ledgersOf(report, before, await readCounted(stack));
  assert.ok(agrees(ledgers), JSON.stringify(ledgers));
  assert.ok(ledgers.k6 > 1800, "warm-up and set-up are counted too");
}

Deno.test("load tests pass on the native stack and fail on its controls", async (t) => {
  await withStack({ allowFaults: true }, async (stack) => {
    const { endpoint, l4Endpoint } = stack;
    await t.step(
      "grpc.js passes; k6, the servers and Envoy count the same calls",
      () => checkLedgers(stack),
    );
    await t.step(
      "grpc.js fails on L4 because of the shares alone",
      async () => {
        const result = await run("grpc.js", l4Endpoint, {
          RATE: "100",
          // 17 or 18 calls in turn for each server, and never as many for all.
          VUS: "53",
        });
        assert.equal(result.code, CROSSED, result.output);
        assert.notEqual(crossed(result).length, 0);
        assert.deepEqual(
          crossed(result).filter((metric) => !SLOTS.includes(metric)),
          [],
        );
      },
    );
    await t.step("a connection per call hides the difference", async () => {
      const { code, output } = await run(
        "reconnect.js",
        l4Endpoint,
        { RATE: "100", TOLERANCE: "0.02" },
      );
      assert.equal(code, 0, output);
    });
    await t.step("few connections are enough, but not on L4", async () => {
      const script = "connections.js";
      const env = { BATCH: "50" };
      const { code, output } = await run(script, endpoint, env);
      assert.equal(code, 0, output);
      const pinned = await run(script, l4Endpoint, env);
      assert.equal(pinned.code, CROSSED);
      const calls = pinned.report?.servers.map(({ calls }) => calls) ?? [];
      assert.equal(calls.filter((count) => count === 0).length, 1);
    });
    await t.step(
      "L4 pins a connection, and that is demanded of it",
      async () => {
        const script = "connections.js";
        const env = { CONNECTIONS: "1", L7_TARGET: endpoint };
        const pinned = await run(script, l4Endpoint, env);
        assert.equal(pinned.code, 0, pinned.output);
        const shares = pinned.report?.servers.map(({ share }) => share).sort();
        assert.deepEqual(shares, [0, 0, 1]);
        const l7 = Object.values(pinned.report?.pins?.l7.calls ?? {});
        assert.equal(l7.length, 3, pinned.output);
        assert.ok(l7.every((calls) => Math.abs(calls - 100) <= 1), `${l7}`);
        assert.match(pinned.output, /all calls stay where it leads: server-/);
        const control = await run(script, endpoint, env);
        assert.equal(control.code, CROSSED, control.output);
        assert.deepEqual(crossed(control), ["connections_moved"]);
        const swapped = await run(script, l4Endpoint, {
          CONNECTIONS: "1",
          L7_TARGET: l4Endpoint,
        });
        assert.equal(swapped.code, CROSSED, swapped.output);
        assert.deepEqual(crossed(swapped), ["l7_deviation"]);
      },
    );
    for (
      const [script, env] of [
        ["streams.js", {
          RATE: "50",
          MESSAGES: "5",
          TOLERANCE: "0.03",
        }],
        ["spike.js", { SPIKE_RATE: "300" }],
        ["soak.js", { DURATION: "4s" }],
        ["breakpoint.js", {
          DURATION: "2s",
          STEPS: "1",
          RATE_MAX: "300",
        }],
      ] as const
    ) {
      await t.step(`${script} passes`, async () => {
        const { code, output } = await run(script, endpoint, env);
        assert.equal(code, 0, output);
      });
    }
    await t.step(
      "a server slowed by 300 ms is seen in the latency",
      async () => {
        await stack.fault("server-2", {
          kind: "delay",
          delayMs: 300,
          durationMs: 60_000,
        });
        const result = await run("grpc.js", endpoint, { P95_MS: "250" });
        await stack.clearFaults("server-2");
        assert.equal(result.code, CROSSED, result.output);
        assert.deepEqual(crossed(result), ["grpc_req_duration{measured:yes}"]);
      },
    );
    await t.step("calls that cannot be started are seen", async () => {
      const { code, report } = await run("grpc.js", endpoint, {
        VUS: "1",
        WORK_MS: "50",
        TOLERANCE: "0.3",
      });
      assert.equal(code, CROSSED);
      assert.deepEqual(
        report?.thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric),
        ["dropped_iterations{scenario:constant-rate}"],
      );
      assert.ok(report && report.achieved.dropped > 300);
    });
    await t.step("two servers where three are expected are seen", async () => {
      await stack.scale(2);
      await awaitHealthy(stack, 2);
      const result = await run("grpc.js", endpoint);
      assert.equal(result.code, CROSSED, result.output);
      assert.deepEqual(crossed(result), ["servers_found", ...SLOTS]);
    });
    await t.step("a server beyond the expected ones is seen", async () => {
      const result = await run("grpc.js", endpoint, { SERVERS: "1" });
      assert.equal(result.code, CROSSED, result.output);
      assert.deepEqual(
        crossed(result),
        ["servers_found", "share_other", "share_slot_1"],
      );
    });
  });
});

/** envoy.yaml without any retry. */
function withoutRetries(): EnvoyConfig {
  const config = parseEnvoyConfig();
  const listener = config.static_resources.listeners.find(({ name }) =>
    name === GRPC_LISTENER
  );
  assert.ok(listener);
  const isRetryPolicy = (key: string) => key === "retry_policy";
  const text = JSON.stringify(
    listener,
    (key, value) => isRetryPolicy(key) ? undefined : value,
  );
  assert.notEqual(text, JSON.stringify(listener));
  Object.assign(listener, JSON.parse(text));
  return config;
}

/** Kills a server once it has got `callsMin` calls of a run. */
async function runWithKill(
  stack: NativeStack,
  script: string,
  callsMin: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const running = run(script, stack.endpoint, { DURATION: "4s", ...env });
  const hasCalls = async () => {
    const { methods } = await stack.counters("server-2");
    return methods.some(({ started }) => started > callsMin);
  };
  assert.ok(await waitUntil(hasCalls, 20_000), "the run has not started");
  await stack.stop("server-2", "SIGKILL");
  return await running;
}

Deno.test("a killed server is seen in the errors, with retries off only", async (t) => {
  await withStack({ config: withoutRetries() }, async (stack) => {
    const result = await runWithKill(stack, "grpc.js", 100);
    assert.equal(result.code, CROSSED, result.output);
    assert.ok(crossed(result).includes("errors"), result.output);
    assert.match(result.output, /Failed calls.*: [0-9]+ UNAVAILABLE/);
  });
  await withStack({}, async (stack) => {
    const result = await runWithKill(stack, "grpc.js", 100);
    assert.equal(crossed(result).includes("errors"), false, result.output);
    await t.step("the streams that were on it are seen", async () => {
      await stack.start("server-2");
      await awaitHealthy(stack, 3);
      const result = await runWithKill(
        stack,
        "streams.js",
        30,
        { RATE: "50", TOLERANCE: "0.03" },
      );
      assert.equal(result.code, CROSSED, result.output);
      const metrics = crossed(result);
      assert.ok(metrics.includes("streams_complete"), result.output);
      assert.ok(metrics.includes("errors"), result.output);
    });
  });
});

Deno.test("k6 with nothing to test says so in one sentence", async () => {
  const target = `127.0.0.1:${freePort()}`;
  const { code, output } = await run("grpc.js", target);
  assert.equal(code, ABORTED, output);
  assert.equal(output.trim().split("\n").length, 1, output);
  assert.match(
    output,
    new RegExp(`Nothing to test at ${target} \\(connection refused\\); start`),
  );
});

Deno.test("deno task load fails when a server is slow, whatever the machine does", async () => {
  await withStack({ allowFaults: true }, async (stack) => {
    // Far more than calls wait for a core here.
    await stack.fault("server-2", {
      kind: "delay",
      delayMs: 2500,
      durationMs: 60_000,
    });
    const { code, stdout, stderr } = await loadCommand([], {
      TARGET: stack.endpoint,
      RATE: "50",
      TOLERANCE: "0.03",
      VUS: "199",
    });
    assert.equal(code, CROSSED, stdout + stderr);
    assert.match(stdout, /^ {2}grpc_req_duration\{measured:yes\}: must be/m);
    await withFolder(stdout, () => Promise.resolve());
  });
});
