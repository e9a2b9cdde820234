import assert from "node:assert/strict";
import { ReceiveWindow } from "./receive_window.ts";

Deno.test("ReceiveWindow allows what it has, and renews half at a time", () => {
  const renewed: number[] = [];
  const window = new ReceiveWindow(100, (more) => renewed.push(more));
  assert.equal(window.take(100), true);
  window.use(49);
  assert.deepEqual(renewed, []);
  window.use(1);
  assert.deepEqual(renewed, [50]);
  assert.equal(window.take(50), true);
  window.use(60);
  assert.deepEqual(renewed, [50, 60]);
});

Deno.test("ReceiveWindow does not allow a byte more than it has", () => {
  const window = new ReceiveWindow(100, () => {});
  assert.equal(window.take(99), true);
  window.use(49); // Not enough to be renewed.
  assert.equal(window.take(2), false);
});
