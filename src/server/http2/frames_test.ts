import assert from "node:assert/strict";
import {
  FLAG,
  frame,
  HEAD_BYTES,
  headAt,
  join,
  SETTING,
  settingsPayload,
  TYPE,
  uint32s,
} from "../../core/http2_wire.ts";
import { type Frame, frameOf } from "./frames.ts";

const { ack, endHeaders, endStream, padded, priority } = FLAG;
const A = Uint8Array.of(0x61);

function read(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Frame | undefined {
  const bytes = frame(type, flags, stream, payload);
  return frameOf(headAt(bytes, 0), bytes.subarray(HEAD_BYTES));
}

const setting = (id: number, value: number) => settingsPayload([[id, value]]);

for (
  const [what, found, expected] of [
    [
      "data",
      read(TYPE.data, 0, 1, A),
      { kind: "data", stream: 1, content: A, windowBytes: 1, isEnd: false },
    ],
    [
      "data with padding, which counts for windows",
      read(TYPE.data, padded | endStream, 1, Uint8Array.of(2, 0x61, 0, 0)),
      { kind: "data", stream: 1, content: A, windowBytes: 4, isEnd: true },
    ],
    [
      "data of nothing but padding",
      read(TYPE.data, padded, 1, Uint8Array.of(1, 0)),
      {
        kind: "data",
        stream: 1,
        content: new Uint8Array(),
        windowBytes: 2,
        isEnd: false,
      },
    ],
    [
      "headers without padding and priority",
      read(
        TYPE.headers,
        padded | priority | endHeaders | endStream,
        3,
        Uint8Array.of(1, 0x80, 0, 0, 1, 255, 0x61, 0),
      ),
      { kind: "headers", stream: 3, block: A, isWhole: true, isEnd: true },
    ],
    [
      "a part of headers",
      read(TYPE.headers, 0, 3, A),
      { kind: "headers", stream: 3, block: A, isWhole: false, isEnd: false },
    ],
    [
      "the last part of headers",
      read(TYPE.continuation, endHeaders, 3, A),
      { kind: "continuation", stream: 3, part: A, isLast: true },
    ],
    [
      "a reset",
      read(TYPE.resetStream, 0, 5, uint32s(8)),
      { kind: "reset", stream: 5, code: 8 },
    ],
    [
      "settings, of which the last of a kind counts",
      read(
        TYPE.settings,
        0,
        0,
        join(
          setting(SETTING.initialWindowSize, 1),
          setting(99, 7),
          setting(SETTING.initialWindowSize, 0),
        ),
      ),
      { kind: "settings", windowBytes: 0 },
    ],
    [
      "settings of nothing",
      read(TYPE.settings, 0, 0),
      { kind: "settings", windowBytes: undefined },
    ],
    [
      "an acknowledged setting as nothing",
      read(TYPE.settings, ack, 0),
      undefined,
    ],
    [
      "a ping",
      read(TYPE.ping, 0, 0, new Uint8Array(8)),
      { kind: "ping", payload: new Uint8Array(8) },
    ],
    ["a pong", read(TYPE.ping, ack, 0, new Uint8Array(8)), { kind: "pong" }],
    ["a goaway", read(TYPE.goAway, 0, 0, new Uint8Array(9)), {
      kind: "goAway",
    }],
    [
      "a window's increment without the reserved bit",
      read(TYPE.windowUpdate, 0, 7, uint32s(0x8000_0005)),
      { kind: "windowUpdate", stream: 7, increment: 5 },
    ],
    [
      "a priority as nothing",
      read(TYPE.priority, 0, 1, new Uint8Array(5)),
      undefined,
    ],
    ["a frame of an unknown type as nothing", read(99, 255, 0, A), undefined],
  ] as const
) {
  Deno.test(`frameOf() reads ${what}`, () => assert.deepEqual(found, expected));
}

const PROTOCOL = 1;
const FLOW_CONTROL = 3;
const FRAME_SIZE = 6;

for (
  const [what, code, parts] of [
    ["data of no stream", PROTOCOL, [TYPE.data, 0, 0, A]],
    ["data with too much padding", PROTOCOL, [TYPE.data, padded, 1, A]],
    ["padding without a length", PROTOCOL, [TYPE.data, padded, 1]],
    ["headers of no stream", PROTOCOL, [TYPE.headers, endHeaders, 0, A]],
    ["headers of a server's stream", PROTOCOL, [
      TYPE.headers,
      endHeaders,
      2,
      A,
    ]],
    ["headers cut in the priority", FRAME_SIZE, [TYPE.headers, priority, 1, A]],
    [
      "headers that depend on themselves",
      PROTOCOL,
      [TYPE.headers, priority, 1, Uint8Array.of(0, 0, 0, 1, 0)],
    ],
    ["a priority of no stream", PROTOCOL, [
      TYPE.priority,
      0,
      0,
      new Uint8Array(5),
    ]],
    ["a long priority", FRAME_SIZE, [TYPE.priority, 0, 1, new Uint8Array(6)]],
    ["a priority of itself", PROTOCOL, [
      TYPE.priority,
      0,
      1,
      Uint8Array.of(0x80, 0, 0, 1, 0),
    ]],
    ["a short reset", FRAME_SIZE, [TYPE.resetStream, 0, 1, A]],
    ["settings of a stream", PROTOCOL, [TYPE.settings, 0, 1]],
    ["truncated settings", FRAME_SIZE, [TYPE.settings, 0, 0, A]],
    ["settings acknowledged at length", FRAME_SIZE, [
      TYPE.settings,
      ack,
      0,
      new Uint8Array(6),
    ]],
    ["a push that is neither on nor off", PROTOCOL, [
      TYPE.settings,
      0,
      0,
      setting(SETTING.enablePush, 2),
    ]],
    ["a window beyond 31 bits", FLOW_CONTROL, [
      TYPE.settings,
      0,
      0,
      setting(SETTING.initialWindowSize, 0x8000_0000),
    ]],
    ["frames smaller than allowed", PROTOCOL, [
      TYPE.settings,
      0,
      0,
      setting(SETTING.maxFrameSize, 16_383),
    ]],
    ["frames larger than allowed", PROTOCOL, [
      TYPE.settings,
      0,
      0,
      setting(SETTING.maxFrameSize, 0x100_0000),
    ]],
    ["a push", PROTOCOL, [TYPE.pushPromise, endHeaders, 1, uint32s(2)]],
    ["a ping on a stream", PROTOCOL, [TYPE.ping, 0, 1, new Uint8Array(8)]],
    ["a short ping", FRAME_SIZE, [TYPE.ping, 0, 0, new Uint8Array(7)]],
    ["a goaway on a stream", PROTOCOL, [TYPE.goAway, 0, 1, new Uint8Array(8)]],
    ["a short goaway", FRAME_SIZE, [TYPE.goAway, 0, 0, new Uint8Array(7)]],
    ["a short increment", FRAME_SIZE, [TYPE.windowUpdate, 0, 1, A]],
  ] as [string, number, Parameters<typeof read>][]
) {
  Deno.test(`frameOf() refuses ${what}`, () => {
    assert.throws(() => read(...parts), { name: "Http2Error", code });
  });
}
