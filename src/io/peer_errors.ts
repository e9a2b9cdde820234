/**
 * Keeps a client alive despite errors that a peer causes.
 *
 * When a connection breaks as a call starts, Deno's HTTP/2 throws where no
 * handler can catch it, which would end the process. Such an error concerns one
 * stream of one peer, so it is logged and the client goes on. So does the word of
 * a peer that refuses our certificate, in the moment between TLS and HTTP/2. Any
 * other uncaught error is a bug and still ends the process.
 */
import process from "node:process";
import { seldom } from "../core/seldom.ts";

/**
 * What a peer has done, for errors that Node's modules throw about one of its
 * streams, sessions or connections.
 */
function peerErrorOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? String(error.code) : "";
  if (
    /^ERR_HTTP2_(INVALID_STREAM|STREAM_|SESSION_|HEADERS_SENT|TRAILERS_|GOAWAY_)/
      .test(code)
  ) return `broke an HTTP/2 stream: ${code}`;
  const [, alert] = /^received fatal alert: (\w+)$/.exec(error.message) ?? [];
  return alert && `ended a TLS connection: ${alert}`;
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
    const what = peerErrorOf(error);
    if (what !== undefined) say(`a peer ${what}; continuing`);
    else onDefect(error);
  };
  process.on("uncaughtException", listener);
  return () => process.off("uncaughtException", listener);
}
