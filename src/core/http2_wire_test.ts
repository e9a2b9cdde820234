import assert from "node:assert/strict";
import {
  frame,
  headAt,
  join,
  SETTING,
  settingsPayload,
  uint32,
  uint32s,
} from "./http2_wire.ts";

Deno.test("frame() writes what headAt() reads", () => {
  const payload = new Uint8Array(70_000).fill(7);
  const bytes = frame(1, 0x25, 0x7fff_fffe, payload);
  assert.deepEqual([...bytes.subarray(0, 9)], [
    ...[0x01, 0x11, 0x70], // 70,000
    ...[1, 0x25],
    ...[0x7f, 0xff, 0xff, 0xfe],
  ]);
  assert.deepEqual(headAt(join(new Uint8Array(3), bytes), 3), {
    length: 70_000,
    type: 1,
    flags: 0x25,
    stream: 0x7fff_fffe,
  });
  assert.deepEqual(bytes.subarray(9), payload);
});

Deno.test("headAt() ignores the reserved bit of a stream's number", () => {
  const bytes = frame(0, 0, 5);
  bytes[5] = 0x80;
  assert.equal(headAt(bytes, 0).stream, 5);
});

Deno.test("uint32s() writes what uint32() reads, also beyond 31 bits", () => {
  const values = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  const bytes = uint32s(...values);
  assert.deepEqual(values.map((_, index) => uint32(bytes, index * 4)), values);
});

Deno.test("settingsPayload() has six bytes for each setting", () => {
  const payload = settingsPayload([
    [SETTING.maxConcurrentStreams, 100],
    [SETTING.initialWindowSize, 0x7fff_ffff],
  ]);
  assert.deepEqual([...payload], [
    ...[0, 3, 0, 0, 0, 100],
    ...[0, 4, 0x7f, 0xff, 0xff, 0xff],
  ]);
});
