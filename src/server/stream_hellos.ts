/** The StreamHellos RPC. */
import { setImmediate } from "node:timers";
import type { ServerWritableStream } from "@grpc/grpc-js";
import type { StreamHellosRequest, StreamHellosResponse } from "../io/proto.ts";
import { type Identity, limitError, textLimit, waitLimit } from "./greeting.ts";

/** Most replies in one stream; proto/demo/v1 states it. */
const COUNT_MAX = 100_000;

/** Replies sent before other calls get their turn. */
const REPLIES_AT_ONCE = 32;

/** The largest delay that the schedule catches up on. */
const CATCH_UP_MS_MAX = 100;

/**
 * Answers `count` times, `intervalMs` apart on a fixed schedule, so that late
 * timers do not add up. Backpressure applies: the next reply is made when the
 * earlier ones have been sent.
 */
export function streamHellos(
  identity: Identity,
  call: ServerWritableStream<StreamHellosRequest, StreamHellosResponse>,
): void {
  const { name, count, intervalMs } = call.request;
  const error = limitError(
    textLimit("name", name),
    ["count", count, 1, COUNT_MAX],
    waitLimit("interval_ms", intervalMs),
  );
  if (error !== undefined) {
    call.emit("error", error);
    return;
  }
  let sent = 0;
  let dueAtMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  call.on("cancelled", () => clearTimeout(timer));
  const send = () => {
    for (let left = REPLIES_AT_ONCE; left > 0; left -= 1) {
      // The caller may have left while a reply waited for room.
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
