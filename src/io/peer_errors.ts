/**
 * Keeps a program alive through what a peer sends.
 *
 * grpc-js answers a request with a wrong content type by calling
 * `stream.respond` in its `stream` event. When the same packet has reset that
 * stream already, Deno's HTTP/2 throws ERR_HTTP2_INVALID_STREAM there, out of
 * reach of any handler, and the process would end. Such an error concerns one
 * stream of one peer, so it is logged and the server goes on. In a client, a
 * connection that breaks while a call is about to start throws in the same
 * way. Every other uncaught error is a defect and still ends the process.
 */
import process from "node:process";

/** Errors that Node's HTTP/2 module throws about one stream or session. */
function isPeerError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && "code" in error &&
    typeof error.code === "string" &&
    /^ERR_HTTP2_(INVALID_STREAM|STREAM_|SESSION_|HEADERS_SENT|TRAILERS_|GOAWAY_)/
      .test(error.code);
}

/** At most one line in this time; a flood must not become a flood of lines. */
const LOG_INTERVAL_MS = 1000;

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
  let loggedAtMs = -Infinity;
  let unlogged = 0;
  const listener = (error: unknown) => {
    if (!isPeerError(error)) {
      onDefect(error);
      return;
    }
    unlogged += 1;
    if (now() - loggedAtMs < LOG_INTERVAL_MS) return;
    const times = unlogged === 1 ? "" : ` (${unlogged} times)`;
    log(`a peer broke an HTTP/2 stream${times}: ${error.code}; going on`);
    loggedAtMs = now();
    unlogged = 0;
  };
  process.on("uncaughtException", listener);
  return () => process.off("uncaughtException", listener);
}
