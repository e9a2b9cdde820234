/** Known limits that several experiments run into. */
import type { KnownLimit } from "./experiment.ts";

/** A killed server can lose a call that it is about to finish answering. */
export const CUT_SHORT: KnownLimit = {
  text: "a call can be lost to kill -9 while its answer is on the way, about " +
    "one kill in twenty at 100 calls/s on the server",
  reason: "the answer leaves as three writes, headers, message and trailers, " +
    "0.3 to 1 ms apart; Envoy has passed the headers on by then and cannot " +
    "try again",
  reference: "grpc-js 1.14.7, build/src/server-interceptors.js: trailers " +
    "follow the message's write; Deno 2.8.3 flushes each HTTP/2 frame",
};
