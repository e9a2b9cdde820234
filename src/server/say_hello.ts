/** The SayHello RPC. */
import {
  Metadata,
  type sendUnaryData,
  type ServerUnaryCall,
  status,
} from "@grpc/grpc-js";
import {
  type SayHelloRequest,
  type SayHelloResponse,
  SERVER_NAME_HEADER,
} from "../io/proto.ts";
import {
  callError,
  charactersOf,
  type Identity,
  limitComplaint,
  TEXT_CHARACTERS_MAX,
  WAIT_MS_MAX,
} from "./greeting.ts";

/**
 * Answers once, after the delay the request asks for.
 *
 * Nothing is sent before the answer is ready, so that a call that fails is
 * answered by a trailers-only response, which Envoy can retry.
 */
export function sayHello(
  identity: Identity,
  call: ServerUnaryCall<SayHelloRequest, SayHelloResponse>,
  callback: sendUnaryData<SayHelloResponse>,
): void {
  const { name, workMs } = call.request;
  const complaint = limitComplaint([
    ["characters of name", charactersOf(name), 0, TEXT_CHARACTERS_MAX],
    ["work_ms", workMs, 0, WAIT_MS_MAX],
  ]);
  if (complaint !== undefined) {
    callback(callError(status.INVALID_ARGUMENT, complaint));
    return;
  }
  const answer = () => {
    const headers = new Metadata();
    headers.set(SERVER_NAME_HEADER, identity.server);
    call.sendMetadata(headers);
    callback(null, {
      message: `Hello, ${name || "world"}!`,
      server: identity.server,
      number: identity.nextNumber(),
    });
  };
  if (workMs === 0) answer();
  else {
    const timer = setTimeout(answer, workMs);
    call.on("cancelled", () => clearTimeout(timer));
  }
}
