/** The RPC StreamHellos. */
import { setImmediate } from "node:timers";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import type { StreamHellosRequest, StreamHellosResponse } from "../io/proto.ts";
import {
  callError,
  charactersOf,
  type Identity,
  limitComplaint,
  TEXT_CHARACTERS_MAX,
  WAIT_MS_MAX,
} from "./greeting.ts";

/** Most replies of one stream; proto/demo/v1 states it. */
const COUNT_MAX = 100_000;

/** Replies made in one go before other calls get their turn. */
const REPLIES_AT_ONCE = 32;

/** Replies that are later than this are not made up for. */
const CATCH_UP_MS_MAX = 100;

/**
 * Answers `count` times, `intervalMs` apart by the clock, so that timers that
 * fire late do not add up. A caller that reads slowly slows the stream down:
 * the next reply is made when those before have left.
 */
export function streamHellos(
  identity: Identity,
  call: ServerWritableStream<StreamHellosRequest, StreamHellosResponse>,
): void {
  const { name, count, intervalMs } = call.request;
  const complaint = limitComplaint([
    ["characters of name", charactersOf(name), 0, TEXT_CHARACTERS_MAX],
    ["count", count, 1, COUNT_MAX],
    ["interval_ms", intervalMs, 0, WAIT_MS_MAX],
  ]);
  if (complaint !== undefined) {
    call.emit("error", callError(status.INVALID_ARGUMENT, complaint));
    return;
  }
  let sent = 0;
  let dueAtMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  call.on("cancelled", () => clearTimeout(timer));
  const send = () => {
    for (let left = REPLIES_AT_ONCE; left > 0; left -= 1) {
      // The caller may have gone while its last reply waited for room.
      if (call.cancelled) return;
      const waitMs = dueAtMs - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(send, waitMs);
        return;
      }
      dueAtMs = Math.max(dueAtMs, performance.now() - CATCH_UP_MS_MAX) +
        intervalMs;
      sent += 1;
      const hasRoom = call.write({
        message: `Hello, ${name || "world"}!`,
        server: identity.server,
        number: identity.nextNumber(),
      });
      if (sent === count) {
        call.end();
        return;
      }
      if (!hasRoom) {
        call.once("drain", send);
        return;
      }
    }
    setImmediate(send);
  };
  send();
}
