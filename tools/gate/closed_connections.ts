/** The runtime gate's checks of what closed connections leave behind. */
import type { Check } from "./checks.ts";
import { judgeKept, kibibytes, type Outcome, type Reasons } from "./judge.ts";
import { measure, type Runtime } from "./runtime.ts";

async function closedWhileRead(runtime: Runtime): Promise<Reasons> {
  const result = await measure(runtime, "read");
  if ("failed" in result) return [result.failed];
  return result.value === true
    ? []
    : ["a connection closed during a read does not end"];
}

async function keptByOurs(runtime: Runtime): Promise<Outcome> {
  const result = await measure(runtime, "ours");
  return "failed" in result ? [result.failed] : judgeKept(Number(result.value));
}

/** No verdict: this is why our servers have their own transport. */
async function keptByNode(runtime: Runtime): Promise<Outcome> {
  const result = await measure(runtime, "node");
  return "failed" in result ? result.failed : kibibytes(Number(result.value));
}

/** Whether closing ends a connection at all. */
export const CLOSE_CHECK: Check = {
  title: "close while read",
  run: closedWhileRead,
};

/** The memory leaked per closed connection, by our server and by Node's. */
export const MEMORY_CHECKS: readonly Check[] = [
  { title: "kept by ours", run: keptByOurs },
  { title: "kept by node:http2", run: keptByNode },
];
