/** The fault switch on a whole stack, and its subcommand. */
import assert from "node:assert/strict";
import { toRequest } from "../src/io/fault_messages.ts";
import { Admin } from "../src/io/proto.ts";
import { callUnary, connect } from "../src/io/rpc.ts";
import { GRPC_CLUSTER } from "../src/stack/envoy_config.ts";
import type { NativeStack } from "../src/stack/native.ts";
import { startSource } from "./programs.ts";
import { awaitHealthy, callMany, withStack } from "./stacks.ts";

/** Runs the server's subcommand `fault`. */
async function fault(
  stack: NativeStack,
  ...flags: string[]
): Promise<{ readonly code: number; readonly said: string }> {
  const target = stack.servers()[0]?.address ?? "";
  const run = startSource("server", ["fault", "--target", target, ...flags]);
  return { code: await run.ended, said: run.text() };
}

Deno.test("a fault comes by the subcommand, and not through Envoy", async () => {
  await withStack({ allowFaults: true }, async (stack, lines) => {
    const set = await fault(
      stack,
      ...["--kind", "health", "--not-serving", "--duration", "60000"],
    );
    assert.deepEqual(set, { code: 0, said: "" });
    await awaitHealthy(stack, 2);
    const cleared = await fault(stack, "--kind", "clear");
    assert.deepEqual(cleared, { code: 0, said: "" });
    await awaitHealthy(stack, 3);
    assert.ok(lines.includes("server-1 | fault health is over"));

    const wrong = await fault(stack, "--kind", "flood");
    assert.equal(wrong.code, 2);
    assert.match(wrong.said, /--kind must be one of status, .*"flood"/);

    const client = connect(Admin, stack.endpoint);
    const request = toRequest({ kind: "hang", durationMs: 60_000 });
    await assert.rejects(
      callUnary(client, "SetFault", request, { deadlineMs: 2000 }),
      { code: 12 },
    );
    client.close();
  });
});

Deno.test("a server that fails calls and looks healthy is ejected", async () => {
  await withStack({ allowFaults: true }, async (stack) => {
    await stack.fault("server-2", { kind: "status", durationMs: 60_000 });
    const { errors, servers } = await callMany(stack.endpoint, 300, {
      concurrency: 5,
    });
    assert.deepEqual(errors, new Map());
    assert.equal(servers.has("server-2"), false);
    const hosts = await stack.admin.hosts(GRPC_CLUSTER);
    assert.equal(hosts.filter(({ isEjected }) => isEjected).length, 1);
    await stack.clearFaults("server-2");
  });
});

Deno.test("a server without --allow-faults refuses faults", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    const refused = await fault(stack, "--kind", "hang");
    assert.equal(refused.code, 1);
    assert.match(refused.said, /did not accept the fault: FAILED_PRECONDITION/);
    await assert.rejects(
      stack.fault("server-1", { kind: "hang", durationMs: 1000 }),
      { name: "Failure", message: /server-1 did not do SetFault: FAILED/ },
    );
  });
});
