/** What a peer does wrong, and what that ends. */
import { CODE } from "../../core/http2_wire.ts";

/** Something that a peer did wrong, which ends its connection. */
export class Http2Error extends Error {
  override readonly name: string = "Http2Error";
  readonly code: number;

  /** @param code One of `CODE`. */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Something that a peer did wrong, which ends the stream and no more. */
export class StreamError extends Http2Error {
  override readonly name = "StreamError";
}

/**
 * Demands something of a peer.
 * @throws {Http2Error} With `code` and `message`, when it is not so.
 */
export function demand(
  isSo: boolean,
  code: keyof typeof CODE,
  message: string,
  ErrorType: typeof Http2Error = Http2Error,
): asserts isSo {
  if (!isSo) throw new ErrorType(CODE[code], message);
}
