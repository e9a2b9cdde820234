/** Known limits that several experiments run into. */
import type { KnownLimit } from "./experiment.ts";

/** A killed server can lose a call that it is about to finish answering. */
export const CUT_SHORT: KnownLimit = {
  text: "kill -9 can lose a call whose answer is on the way: 15 in 247 kills " +
    "of a server with 100 calls/s",
  reason: "the answer leaves as three writes, headers, message and trailers, " +
    "0.3 to 1 ms apart; Envoy has passed the headers on by then and cannot " +
    "try again",
  reference: "grpc-js 1.14.7, build/src/server-interceptors.js: trailers " +
    "follow the message's write; Deno 2.8.3 flushes each HTTP/2 frame",
};
