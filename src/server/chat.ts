/** The RPC Chat. */
import { setImmediate } from "node:timers";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { ChatRequest, ChatResponse } from "../io/proto.ts";
import { type Identity, limitError, textLimit } from "./greeting.ts";

/** Answers each message in turn; a caller that reads slowly is read slowly. */
export function chat(
  identity: Identity,
  call: ServerDuplexStream<ChatRequest, ChatResponse>,
): void {
  call.on("data", ({ text }: ChatRequest) => {
    const error = limitError(textLimit("text", text));
    if (error !== undefined) {
      call.pause();
      call.emit("error", error);
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
