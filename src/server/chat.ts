/** The RPC Chat. */
import { setImmediate } from "node:timers";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { ChatRequest, ChatResponse } from "../io/proto.ts";
import {
  callError,
  charactersOf,
  type Identity,
  limitComplaint,
  TEXT_CHARACTERS_MAX,
} from "./greeting.ts";

/** Answers each message in turn; a caller that reads slowly is read slowly. */
export function chat(
  identity: Identity,
  call: ServerDuplexStream<ChatRequest, ChatResponse>,
): void {
  call.on("data", ({ text }: ChatRequest) => {
    const complaint = limitComplaint([
      ["characters of text", charactersOf(text), 0, TEXT_CHARACTERS_MAX],
    ]);
    if (complaint !== undefined) {
      call.pause();
      call.emit("error", callError(status.INVALID_ARGUMENT, complaint));
      return;
    }
    const hasRoom = call.write({
      text,
      server: identity.server,
      number: identity.nextNumber(),
    });
    if (!hasRoom) {
      call.pause();
      call.once("drain", () => call.resume());
    }
  });
  call.on("end", () => {
    // A cancel first looks like an end; ending now would be counted as OK.
    setImmediate(() => call.end());
  });
}
