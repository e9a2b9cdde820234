import assert from "node:assert/strict";
import type { Stats } from "./envoy_admin.ts";
import { watchEnvoy } from "./envoy_watch.ts";

/** What Envoy answers each time, and what is said until there is no more. */
async function watched(
  answers: readonly (readonly [live: number, stopped: number] | undefined)[],
): Promise<readonly string[]> {
  const said: string[] = [];
  const ended = new AbortController();
  const left = [...answers];
  const stats = (): Promise<Stats> => {
    const answer = left.shift();
    if (left.length === 0) ended.abort();
    return answer === undefined
      ? Promise.reject(new Error("it does not answer"))
      : Promise.resolve(
        new Map([
          ["server.live", answer[0]],
          ["listener_manager.listener_stopped", answer[1]],
        ]),
      );
  };
  await watchEnvoy({ stats, url: "http://a/" }, (line) => said.push(line), {
    signal: ended.signal,
    intervalMs: 0,
  });
  return said;
}

Deno.test("watchEnvoy() says nothing while Envoy serves", async () => {
  assert.deepEqual(await watched([[1, 0], [1, 0]]), []);
});

Deno.test("watchEnvoy() says once that Envoy fails its check, and once that it is over", async () => {
  assert.deepEqual(await watched([[1, 0], [0, 0], [0, 0], [1, 0], [1, 0]]), [
    "Envoy was told to fail its health check and sends its callers away; " +
    'curl -X POST -H "x-grpc-demo: yes" http://a/healthcheck/ok undoes it',
    "Envoy passes its health check again",
  ]);
});

Deno.test("watchEnvoy() says once that Envoy was drained", async () => {
  assert.deepEqual(await watched([[1, 0], [1, 2], [0, 2]]), [
    "Envoy was drained and no longer listens for callers; start again",
  ]);
});

Deno.test("watchEnvoy() goes on when Envoy does not answer", async () => {
  assert.equal((await watched([undefined, [1, 2], undefined])).length, 1);
});
