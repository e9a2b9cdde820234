import assert from "node:assert/strict";
import {
  data,
  framesIn,
  isAnswer,
  join,
  resetStream,
  settings,
} from "./http2_frames.ts";

Deno.test("framesIn() cuts bytes into frames and keeps what is left", () => {
  const whole = join(settings(), data(3, new Uint8Array(70_000)));
  const cut = resetStream(5).subarray(0, 12);
  const { frames, rest } = framesIn(join(whole, cut));
  assert.deepEqual(frames, [{ type: 0x4, stream: 0 }, { type: 0, stream: 3 }]);
  assert.deepEqual(rest, cut);
});

Deno.test("framesIn() reads a part of a larger buffer", () => {
  const buffer = join(new Uint8Array(7), resetStream(5));
  const { frames, rest } = framesIn(buffer.subarray(7));
  assert.deepEqual(frames, [{ type: 3, stream: 5 }]);
  assert.equal(rest.length, 0);
});

Deno.test("isAnswer() is true for what ends the wait of a caller", () => {
  const types = [0, 1, 3, 4, 6, 7, 8]
    .filter((type) => isAnswer({ type, stream: 1 }));
  assert.deepEqual(types, [1, 3, 7]);
});
