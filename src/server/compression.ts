/** Refuses messages flagged as compressed when no encoding was named. */
import {
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { callError } from "./greeting.ts";

/** grpc-js's call object that is nearest to the wire. */
interface WireCall {
  /** @param message With its five-byte prefix: the flag and the length. */
  decompressMessage(
    message: Uint8Array,
    encoding: string,
  ): Uint8Array | Promise<Uint8Array>;
}

/**
 * Answers INTERNAL where gRPC demands it: to a message flagged as compressed in
 * a call whose `grpc-encoding` is missing or "identity", and to an undefined
 * flag.
 *
 * grpc-js takes such a message for an uncompressed one. An interceptor's
 * listeners never see the flag, so this one replaces the method that does; it
 * must be the first interceptor, nearest to the wire.
 */
export function refuseFalseCompression(
  ...[_method, call]: Parameters<ServerInterceptor>
): ServerInterceptingCall {
  const wire = call as unknown as WireCall;
  const decompress = wire.decompressMessage.bind(wire);
  wire.decompressMessage = (message, encoding) =>
    encoding === "identity" && message[0] !== 0
      ? Promise.reject(callError(
        status.INTERNAL,
        `Received a message with the compressed flag ${
          message[0]
        }, but grpc-encoding is missing or identity`,
      ))
      : decompress(message, encoding);
  return new ServerInterceptingCall(call);
}
