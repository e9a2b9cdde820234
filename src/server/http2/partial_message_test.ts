import assert from "node:assert/strict";
import { PartialMessage } from "./partial_message.ts";

/** A message of so many bytes behind its head. */
function message(length: number): number[] {
  return [0, 0, 0, length >> 8, length & 0xff, ...new Uint8Array(length)];
}

for (
  const [why, chunks, partial] of [
    ["nothing came", [[]], [0]],
    ["a whole message is not held", [message(7)], [0]],
    ["an empty message is whole", [message(0)], [0]],
    ["a head is held until it is whole", [[0, 0], [0, 0], [0]], [2, 4, 0]],
    [
      "a message is held until it is whole",
      [message(7).slice(0, 6), [1, 1, 1], [1, 1, 1]],
      [6, 9, 0],
    ],
    [
      "behind whole messages, the begin of the next is held",
      [[...message(300), ...message(2), 0, 0, 0]],
      [3],
    ],
    [
      "a chunk ends one message and begins another",
      [message(4).slice(0, 7), [1, 1, ...message(1), 0]],
      [7, 1],
    ],
    ["a length beyond 31 bits is a length", [[0, 255, 255, 255, 255, 1]], [6]],
  ] as const
) {
  Deno.test(`PartialMessage: ${why}`, () => {
    const counted = new PartialMessage();
    assert.deepEqual(
      chunks.map((chunk) => counted.take(Uint8Array.from(chunk))),
      partial,
    );
  });
}
