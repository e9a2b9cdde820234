/** Refuses messages that say they are compressed, when nothing says how. */
import {
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { callError } from "./greeting.ts";

/** The call of grpc-js that is nearest to the wire. */
interface WireCall {
  /** @param message With the five bytes in front: the flag and the length. */
  decompressMessage(
    message: Uint8Array,
    encoding: string,
  ): Uint8Array | Promise<Uint8Array>;
}

/**
 * Answers INTERNAL where gRPC demands it: to a message whose flag says that it
 * is compressed, in a call without a `grpc-encoding` or with "identity", and
 * to one whose flag does not exist.
 *
 * grpc-js takes such a message for an uncompressed one. No listener of an
 * interceptor sees the flag, so this one replaces the method that does, in the
 * call that it is given; it must be the first interceptor, nearest to the wire.
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
        }, but no grpc-encoding that says how`,
      ))
      : decompress(message, encoding);
  return new ServerInterceptingCall(call);
}
