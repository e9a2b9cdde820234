/** The RPC StreamHellos. */
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import type { HelloReply, StreamHellosRequest } from "../io/proto.ts";
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

/**
 * Answers `count` times, `intervalMs` apart. A caller that reads slowly slows
 * the stream down: the next reply is made when the last one has left.
 */
export function streamHellos(
  identity: Identity,
  call: ServerWritableStream<StreamHellosRequest, HelloReply>,
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
  let timer: ReturnType<typeof setTimeout> | undefined;
  call.on("cancelled", () => clearTimeout(timer));
  const wait = () => {
    // The caller may have gone while its last reply waited for room.
    if (!call.cancelled) timer = setTimeout(sendNext, intervalMs);
  };
  const sendNext = () => {
    sent += 1;
    const hasRoom = call.write({
      message: `Hello, ${name || "world"}!`,
      server: identity.server,
      number: identity.nextNumber(),
    });
    if (sent === count) call.end();
    else if (hasRoom) wait();
    else call.once("drain", wait);
  };
  sendNext();
}
