import assert from "node:assert/strict";
import { join, TYPE } from "../core/http2_wire.ts";
import {
  data,
  framesIn,
  isAnswer,
  isEnd,
  literal,
  resetStream,
  settings,
} from "./http2_frames.ts";

Deno.test("framesIn() cuts bytes into frames and keeps what is left", () => {
  const whole = join(settings(), data(3, new Uint8Array(70_000)));
  const cut = resetStream(5).subarray(0, 12);
  const { frames, rest } = framesIn(join(whole, cut));
  assert.deepEqual(frames.map(({ type, stream }) => [type, stream]), [
    [TYPE.settings, 0],
    [TYPE.data, 3],
  ]);
  assert.equal(frames[1]?.payload.length, 70_000);
  assert.deepEqual(rest, cut);
});

Deno.test("framesIn() reads a part of a larger buffer", () => {
  const buffer = join(new Uint8Array(7), resetStream(5));
  const { frames, rest } = framesIn(buffer.subarray(7));
  assert.deepEqual(frames.map(({ type, stream }) => [type, stream]), [
    [TYPE.resetStream, 5],
  ]);
  assert.equal(rest.length, 0);
});

Deno.test("isAnswer() is true for what ends the wait of a caller", () => {
  const types = [0, 1, 3, 4, 6, 7, 8]
    .filter((type) => isAnswer({ type }));
  assert.deepEqual(types, [1, 3, 7]);
});

Deno.test("isEnd() knows the last frame of a stream", () => {
  const { frames } = framesIn(join(
    settings(),
    data(1, new Uint8Array(1)),
    data(1, new Uint8Array(1), true),
    resetStream(3),
  ));
  assert.deepEqual(frames.map(isEnd), [false, false, true, true]);
});

Deno.test("settings() writes a number of 16 bits and a value of 32", () => {
  assert.deepEqual(
    [...settings([[4, 0], [5, 0x01_02_03_04]]).subarray(9)],
    [0, 4, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4],
  );
});

Deno.test("literal() writes lengths as HPACK has them", () => {
  const headOf = (length: number) => {
    const field = literal("x", "a".repeat(length), true);
    return [...field.subarray(0, field.length - length)];
  };
  assert.deepEqual(headOf(126), [0x40, 1, 120, 126]);
  assert.deepEqual(headOf(127), [0x40, 1, 120, 127, 0]);
  assert.deepEqual(headOf(1337), [0x40, 1, 120, 127, 0x80 | 58, 9]);
  assert.deepEqual([...literal("x", "")], [0, 1, 120, 0]);
});
