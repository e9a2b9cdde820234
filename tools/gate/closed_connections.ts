/** The runtime gate's checks of what closed connections leave behind. */
import type { Check } from "./checks.ts";
import { judgeKept, kibibytes } from "./judge.ts";
import { measure } from "./runtime.ts";

/** Whether closing ends a connection at all. */
export const CLOSE_CHECK: Check = {
  title: "close while read",
  run: (runtime) =>
    measure(
      runtime,
      "read",
      (hasEnded) =>
        hasEnded === true
          ? []
          : ["a connection closed during a read does not end"],
    ),
};

/** The memory leaked per closed connection, by our server and by Node's. */
export const MEMORY_CHECKS: readonly Check[] = [
  {
    title: "kept by ours",
    run: (runtime) =>
      measure(runtime, "ours", (bytes) => judgeKept(Number(bytes))),
  },
  {
    title: "kept by node:http2",
    // No verdict: this is why our servers have their own transport.
    run: async (runtime) =>
      String(
        await measure(runtime, "node", (bytes) => kibibytes(Number(bytes))),
      ),
  },
];
