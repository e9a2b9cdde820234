/** Parses and checks a peer's frames, each in isolation. */
import {
  CODE,
  FLAG,
  type Head,
  INT31_MAX,
  PAYLOAD_BYTES_MAX,
  SETTING,
  TYPE,
  uint32,
} from "../../core/http2_wire.ts";
import { demand, Http2Error } from "./errors.ts";

const PRIORITY_BYTES = 5;
const SETTING_BYTES = 6;

/** A frame that matters to a server; stream 0 is the connection itself. */
export type Frame =
  | {
    readonly kind: "data";
    readonly stream: number;
    readonly content: Uint8Array;
    /** The length with padding, as flow control counts it. */
    readonly windowBytes: number;
    readonly isEnd: boolean;
  }
  | {
    readonly kind: "headers";
    readonly stream: number;
    /** The header block, or its first fragment. */
    readonly block: Uint8Array;
    readonly isWhole: boolean;
    /** Whether it ends the stream. */
    readonly isEnd: boolean;
  }
  | {
    readonly kind: "continuation";
    readonly stream: number;
    /** The next fragment of a header block. */
    readonly part: Uint8Array;
    readonly isLast: boolean;
  }
  | { readonly kind: "reset"; readonly stream: number; readonly code: number }
  | {
    readonly kind: "settings";
    /** The initial window of every stream, if it is set. */
    readonly windowBytes: number | undefined;
  }
  | { readonly kind: "ping"; readonly payload: Uint8Array }
  | { readonly kind: "pong" }
  | { readonly kind: "goAway" }
  | {
    readonly kind: "windowUpdate";
    readonly stream: number;
    readonly increment: number;
  };

/**
 * Parses one frame.
 *
 * @returns Undefined for a frame that a server ignores.
 * @throws {Http2Error} When it breaks the protocol.
 */
export function frameOf(head: Head, payload: Uint8Array): Frame | undefined {
  const { type, stream } = head;
  switch (type) {
    case TYPE.data:
      return data(head, payload);
    case TYPE.headers:
      return headers(head, payload);
    case TYPE.priority:
      demand(stream !== 0, "protocolError", "PRIORITY on stream 0");
      demand(payload.length === PRIORITY_BYTES, "frameSizeError", "a priority");
      checkPriority(head, payload);
      return undefined; // RFC 9113 deprecates priorities.
    case TYPE.resetStream:
      demand(payload.length === 4, "frameSizeError", "a reset");
      return { kind: "reset", stream, code: uint32(payload, 0) };
    case TYPE.settings:
      return settings(head, payload);
    case TYPE.pushPromise:
      throw new Http2Error(CODE.protocolError, "PUSH_PROMISE from a client");
    case TYPE.ping:
      demand(stream === 0, "protocolError", "PING on a stream");
      demand(payload.length === 8, "frameSizeError", "a ping");
      return has(head, FLAG.ack) ? { kind: "pong" } : { kind: "ping", payload };
    case TYPE.goAway:
      demand(stream === 0, "protocolError", "GOAWAY on a stream");
      demand(payload.length >= 8, "frameSizeError", "a goaway");
      return { kind: "goAway" };
    case TYPE.windowUpdate: {
      demand(payload.length === 4, "frameSizeError", "a window's increment");
      const increment = uint32(payload, 0) & INT31_MAX;
      return { kind: "windowUpdate", stream, increment };
    }
    case TYPE.continuation: {
      const isLast = has(head, FLAG.endHeaders);
      return { kind: "continuation", stream, part: payload, isLast };
    }
    default:
      return undefined; // Unknown frame types must be ignored.
  }
}

function data(head: Head, payload: Uint8Array): Frame {
  demand(head.stream !== 0, "protocolError", "DATA on stream 0");
  return {
    kind: "data",
    stream: head.stream,
    content: unpadded(head, payload),
    windowBytes: payload.length,
    isEnd: has(head, FLAG.endStream),
  };
}

function headers(head: Head, payload: Uint8Array): Frame {
  const { stream } = head;
  demand(stream % 2 === 1, "protocolError", "an even stream id");
  let block = unpadded(head, payload);
  if (has(head, FLAG.priority)) {
    demand(block.length >= PRIORITY_BYTES, "frameSizeError", "headers");
    checkPriority(head, block);
    block = block.subarray(PRIORITY_BYTES);
  }
  return {
    kind: "headers",
    stream,
    block,
    isWhole: has(head, FLAG.endHeaders),
    isEnd: has(head, FLAG.endStream),
  };
}

/** The settings that concern a server; the last value of each wins. */
function settings(head: Head, payload: Uint8Array): Frame | undefined {
  demand(head.stream === 0, "protocolError", "SETTINGS on a stream");
  const isAck = has(head, FLAG.ack);
  const isWhole = isAck
    ? payload.length === 0
    : payload.length % SETTING_BYTES === 0;
  demand(isWhole, "frameSizeError", "settings");
  let windowBytes: number | undefined;
  for (let at = 0; at < payload.length; at += SETTING_BYTES) {
    const id = uint32(payload, at) >>> 16;
    const value = uint32(payload, at + 2);
    if (id === SETTING.enablePush) {
      demand(value <= 1, "protocolError", "an invalid ENABLE_PUSH");
    } else if (id === SETTING.maxFrameSize) {
      const isAllowed = value >= PAYLOAD_BYTES_MAX && value <= 0xff_ffff;
      demand(isAllowed, "protocolError", "an invalid MAX_FRAME_SIZE");
    } else if (id === SETTING.initialWindowSize) {
      demand(value <= INT31_MAX, "flowControlError", "an oversized window");
      windowBytes = value;
    }
  }
  return isAck ? undefined : { kind: "settings", windowBytes };
}

function checkPriority(head: Head, payload: Uint8Array): void {
  const dependsOn = uint32(payload, 0) & INT31_MAX;
  const message = "a stream that depends on itself";
  demand(dependsOn !== head.stream, "protocolError", message);
}

function unpadded(head: Head, payload: Uint8Array): Uint8Array {
  if (!has(head, FLAG.padded)) return payload;
  const padding = payload[0] ?? 0;
  const message = "more padding than payload";
  demand(padding < payload.length, "protocolError", message);
  return payload.subarray(1, payload.length - padding);
}

function has(head: Head, flag: number): boolean {
  return (head.flags & flag) !== 0;
}
