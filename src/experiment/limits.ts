/** Known limits that several experiments run into. */
import type { KnownLimit } from "./experiment.ts";

/** A killed server can lose a call that it is about to finish answering. */
export const CUT_SHORT: KnownLimit = {
  text: "kill -9 can lose a call whose answer is on the way, if it is a long " +
    "one: none in 57 kills of a server with 100 short calls/s",
  reason: "an answer of more than 64 KiB leaves in several writes; Envoy has " +
    "passed the first on by then and cannot try again",
  reference: "src/server/http2/sender.ts: what is ready in one turn of the " +
    "event loop leaves in one write",
};
