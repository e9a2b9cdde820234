/**
 * Keeps a client alive despite errors that a peer causes.
 *
 * When a connection breaks as a call starts, Deno's HTTP/2 throws where no
 * handler can catch it, which would end the process. Such an error concerns one
 * stream of one peer, so it is logged and the client goes on. Any other
 * uncaught error is a bug and still ends the process.
 */
import process from "node:process";
import { seldom } from "../core/seldom.ts";

/** Errors that Node's HTTP/2 module throws about one stream or session. */
function isPeerError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error &&
    typeof error.code === "string" &&
    /^ERR_HTTP2_(INVALID_STREAM|STREAM_|SESSION_|HEADERS_SENT|TRAILERS_|GOAWAY_)/
      .test(error.code);
}

/**
 * Logs errors that a peer caused and keeps the process alive.
 *
 * @param log Receives a line at most once a second, with the number of errors
 * it stands for.
 * @param onDefect Receives any other uncaught error.
 * @returns A function that stops this.
 */
export function survivePeerErrors(
  log: (line: string) => void,
  onDefect: (error: unknown) => void,
  now: () => number = Date.now,
): () => void {
  const say = seldom(log, now);
  const listener = (error: unknown) => {
    if (isPeerError(error)) {
      say(`a peer broke an HTTP/2 stream: ${error.code}; continuing`);
    } else onDefect(error);
  };
  process.on("uncaughtException", listener);
  return () => process.off("uncaughtException", listener);
}
