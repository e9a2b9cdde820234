/**
 * Keeps a client alive through what a peer does.
 *
 * A connection that breaks while a call is about to start makes Deno's HTTP/2
 * throw where no handler can catch it, and the process would end. Such an
 * error concerns one stream of one peer, so it is logged and the client goes
 * on. Every other uncaught error is a defect and still ends the process.
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
 * Logs errors that a peer caused and lets the process live.
 *
 * @param log Is given one line, at most once a second, with the number of
 * errors it stands for.
 * @param onDefect Is given any other uncaught error.
 * @returns Stops doing so.
 */
export function survivePeerErrors(
  log: (line: string) => void,
  onDefect: (error: unknown) => void,
  now: () => number = Date.now,
): () => void {
  const say = seldom(log, now);
  const listener = (error: unknown) => {
    if (isPeerError(error)) {
      say(`a peer broke an HTTP/2 stream: ${error.code}; going on`);
    } else onDefect(error);
  };
  process.on("uncaughtException", listener);
  return () => process.off("uncaughtException", listener);
}
