/** Faults of a server that is called directly. */
import assert from "node:assert/strict";
import type { Fault } from "../core/fault.ts";
import { toRequest } from "../io/fault_messages.ts";
import { Admin, Greeter, type GreeterClient } from "../io/proto.ts";
import { callToEnd, callUnary, connect } from "../io/rpc.ts";
import { askHealth } from "./ask.ts";
import { type RunningServer, startServer } from "./server.ts";

interface Bench {
  readonly server: RunningServer;
  readonly lines: readonly string[];
  readonly greeter: GreeterClient;
  call(deadlineMs?: number): Promise<unknown>;
  fault(fault: Fault): Promise<unknown>;
  clear(): Promise<unknown>;
  health(): Promise<string>;
}

async function withServer(
  work: (bench: Bench) => Promise<void>,
  { allowFaults = true } = {},
): Promise<void> {
  const lines: string[] = [];
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    serverName: "faulty",
    maxMessageBytes: 1_048_576,
    maxConnectionAgeMs: 0,
    drainWaitMs: 0,
    closeDeadlineMs: 100,
    memoryLimitMib: 0,
    allowFaults,
  }, (line) => lines.push(line));
  const target = `127.0.0.1:${server.port}`;
  const greeter = connect(Greeter, target);
  const admin = connect(Admin, target);
  try {
    await work({
      server,
      lines,
      greeter,
      call: (deadlineMs = 2000) =>
        callUnary(greeter, "SayHello", { name: "x" }, { deadlineMs }),
      fault: (fault) =>
        callUnary(admin, "SetFault", toRequest(fault), { deadlineMs: 2000 }),
      clear: () => callUnary(admin, "ClearFaults", {}, { deadlineMs: 2000 }),
      health: () => askHealth({ target, service: "", deadlineMs: 2000 }),
    });
  } finally {
    greeter.close();
    admin.close();
    await server.close();
  }
}

Deno.test("faults are refused by a server that does not allow them", async () => {
  await withServer(async ({ fault, clear, call }) => {
    const refused = { code: 9, details: /start it with --allow-faults/ };
    await assert.rejects(fault({ kind: "hang", durationMs: 1000 }), refused);
    await assert.rejects(clear(), refused);
    await call();
  }, { allowFaults: false });
});

Deno.test("a fault that is out of range is refused", async () => {
  await withServer(async ({ fault, call }) => {
    await assert.rejects(
      fault({ kind: "status", durationMs: 1000, code: 99 }),
      { code: 3, details: /code 99: it must be from 1 to 16/ },
    );
    await call();
  });
});

Deno.test("status: calls fail and are counted, health says SERVING", async () => {
  await withServer(async ({ fault, call, clear, health, server }) => {
    await fault({ kind: "status", durationMs: 60_000, code: 8 });
    await assert.rejects(call(), { code: 8, details: "fault: status" });
    assert.equal(await health(), "SERVING");
    await clear();
    await call();
    const [counted] = server.counters().methods;
    assert.equal(counted?.failed, 1);
    assert.equal(counted?.ok, 1);
  });
});

Deno.test("status: headers are sent before it only if asked for", async () => {
  await withServer(async ({ fault, greeter }) => {
    for (const isAfterHeaders of [false, true]) {
      await fault({ kind: "status", durationMs: 60_000, isAfterHeaders });
      const options = { deadlineMs: 2000 };
      const { headers } = await callToEnd(greeter, "SayHello", {}, options);
      assert.equal(headers !== undefined, isAfterHeaders);
    }
  });
});

Deno.test("delay: calls are answered, later", async () => {
  await withServer(async ({ fault, call }) => {
    await call();
    await fault({ kind: "delay", durationMs: 60_000, delayMs: 150 });
    const startedAtMs = performance.now();
    await call();
    const tookMs = performance.now() - startedAtMs;
    assert.ok(tookMs >= 145 && tookMs < 1000, `took ${tookMs} ms`);
  });
});

Deno.test("hang: calls wait until the fault ends", async () => {
  await withServer(async ({ fault, call, lines }) => {
    await fault({ kind: "hang", durationMs: 300 });
    await assert.rejects(call(100), { code: 4 });
    await call(2000);
    assert.ok(lines.includes("fault hang is over"));
  });
});

Deno.test("drop: a call loses its connection, and the next one works", async () => {
  await withServer(async ({ fault, call, clear }) => {
    await call();
    await fault({ kind: "drop", durationMs: 60_000 });
    await assert.rejects(call(), { code: 14 });
    await clear();
    await call();
  });
});

Deno.test("refuse: open connections are kept, new ones are closed", async () => {
  await withServer(async ({ fault, call, health, server }) => {
    await call();
    await fault({ kind: "refuse", durationMs: 600 });
    await call();
    const target = `127.0.0.1:${server.port}`;
    const other = connect(Greeter, target);
    await assert.rejects(
      callUnary(other, "SayHello", {}, { deadlineMs: 300 }),
      (error: { readonly code?: number }) => [4, 14].includes(error.code ?? 0),
    );
    other.close();
    await call();
    // The fault ends while this tries one connection after another.
    assert.equal(await health(), "SERVING");
  });
});

Deno.test("health: only checkers see it, until it is over", async () => {
  await withServer(async ({ fault, call, clear, health }) => {
    await fault({ kind: "health", durationMs: 60_000, isServing: false });
    assert.equal(await health(), "NOT_SERVING");
    await call();
    await clear();
    assert.equal(await health(), "SERVING");
  });
});

Deno.test("cpu: the server is busy until the fault ends", async () => {
  await withServer(async ({ fault, call, lines }) => {
    await fault({ kind: "cpu", durationMs: 100, share: 0.5 });
    while (!lines.includes("fault cpu is over")) await call();
    await call();
  });
});
