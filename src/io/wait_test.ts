import assert from "node:assert/strict";
import { pause, waitUntil } from "./wait.ts";

Deno.test("waitUntil() is true at once when the condition holds", async () => {
  assert.equal(await waitUntil(() => true, 0), true);
});

Deno.test("waitUntil() asks again until the condition holds", async () => {
  let asked = 0;
  const condition = () => Promise.resolve((asked += 1) === 3);
  assert.equal(await waitUntil(condition, 60_000), true);
  assert.equal(asked, 3);
});

Deno.test("waitUntil() gives up after its limit", async () => {
  assert.equal(await waitUntil(() => false, 0), false);
});

Deno.test("waitUntil() gives up when it is aborted", async () => {
  const controller = new AbortController();
  const condition = () => {
    controller.abort();
    return false;
  };
  assert.equal(await waitUntil(condition, 60_000, controller.signal), false);
});

Deno.test("waitUntil() rejects when its condition does", async () => {
  const condition = () => Promise.reject(new Error("no"));
  await assert.rejects(waitUntil(condition, 60_000), { message: "no" });
});

Deno.test("pause() ends early, without an error, when it is aborted", async () => {
  const controller = new AbortController();
  const paused = pause(60_000, controller.signal);
  controller.abort();
  await paused;
  await pause(60_000, controller.signal);
});

Deno.test("pause() waits", async () => {
  const startedAtMs = performance.now();
  await pause(20);
  await pause(0);
  await pause(-1);
  assert.ok(performance.now() - startedAtMs >= 19);
});
