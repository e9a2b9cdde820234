/** A peer's protocol errors, by what they end. */
import { CODE } from "../../core/http2_wire.ts";

/** A peer's error that ends its connection. */
export class Http2Error extends Error {
  override readonly name: string = "Http2Error";
  readonly code: number;

  /** @param code One of `CODE`. */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A peer's error that ends only the stream. */
export class StreamError extends Http2Error {
  override readonly name = "StreamError";
}

/**
 * Asserts something about a peer's behaviour.
 * @throws {Http2Error} With `code` and `message`, when it does not hold.
 */
export function demand(
  isSo: boolean,
  code: keyof typeof CODE,
  message: string,
  ErrorType: typeof Http2Error = Http2Error,
): asserts isSo {
  if (!isSo) throw new ErrorType(CODE[code], message);
}
