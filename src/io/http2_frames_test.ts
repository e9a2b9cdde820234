import assert from "node:assert/strict";
import { join, TYPE } from "../core/http2_wire.ts";
import {
  data,
  framesIn,
  isAnswer,
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
