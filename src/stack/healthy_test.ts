import assert from "node:assert/strict";
import { awaitHealthy } from "./healthy.ts";

/** An admin interface whose answers come one after the other. */
function adminOf(answers: readonly (readonly boolean[])[]) {
  let asked = 0;
  return {
    isReady: () => Promise.resolve(true),
    hosts: () => {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
      asked += 1;
      return Promise.resolve(answer.map((isHealthy, index) => ({
        address: `127.0.0.${index + 1}:1`,
        isHealthy,
        flags: isHealthy ? [] : ["failed_active_hc"],
        isEjected: false,
        stats: new Map(),
      })));
    },
    asked: () => asked,
  };
}

Deno.test("awaitHealthy() waits for exactly so many, all of them healthy", async () => {
  const admin = adminOf([
    [],
    [true],
    [true, false],
    [true, true, true],
    [true, true],
  ]);
  assert.ok(await awaitHealthy(admin, 2) > 0);
  assert.equal(admin.asked(), 5);
});

Deno.test("awaitHealthy() waits for another condition", async () => {
  const admin = adminOf([[true, true], [true, false]]);
  await awaitHealthy(admin, 1, { isReached: (healthy) => healthy === 1 });
  assert.equal(admin.asked(), 2);
});

Deno.test("awaitHealthy() tells each server's complaints in the end", async () => {
  await assert.rejects(
    awaitHealthy(adminOf([[true, false]]), 2, { limitMs: 0 }),
    {
      name: "Failure",
      kind: "environment",
      message: "Envoy has not found 2 healthy servers within 0 ms: " +
        "127.0.0.1:1 healthy, 127.0.0.2:1 failed_active_hc; " +
        'check service_name in the health checks of cluster "grpc-server"',
    },
  );
});

Deno.test("awaitHealthy() ends when it is aborted", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(awaitHealthy(adminOf([[]]), 1, { signal }), {
    name: "AbortError",
  });
});
