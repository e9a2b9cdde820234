/** The SayHello RPC. */
import {
  Metadata,
  type sendUnaryData,
  type ServerUnaryCall,
} from "@grpc/grpc-js";
import {
  type SayHelloRequest,
  type SayHelloResponse,
  SERVER_NAME_HEADER,
} from "../io/proto.ts";
import { type Identity, limitError, textLimit, waitLimit } from "./greeting.ts";

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
  const error = limitError(
    textLimit("name", name),
    waitLimit("work_ms", workMs),
  );
  if (error !== undefined) return callback(error);
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
