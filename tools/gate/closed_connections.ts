/** The checks of the runtime gate on what closed connections leave behind. */
import type { Check } from "./checks.ts";
import { judgeKept, kibibytes, type Outcome, type Reasons } from "./judge.ts";
import { measure, type Runtime } from "./runtime.ts";

async function closedWhileRead(runtime: Runtime): Promise<Reasons> {
  const result = await measure(runtime, "read");
  if ("failed" in result) return [result.failed];
  return result.value === true
    ? []
    : ["a connection that is closed while it is read does not end"];
}

async function keptByOurs(runtime: Runtime): Promise<Outcome> {
  const result = await measure(runtime, "ours");
  return "failed" in result ? [result.failed] : judgeKept(Number(result.value));
}

/** No verdict: servers have a transport of their own because of it. */
async function keptByNode(runtime: Runtime): Promise<Outcome> {
  const result = await measure(runtime, "node");
  return "failed" in result ? result.failed : kibibytes(Number(result.value));
}

/** Whether closing ends a connection at all. */
export const CLOSE_CHECK: Check = {
  title: "close while read",
  run: closedWhileRead,
};

/** What a closed connection costs, in our server and in one of Node's. */
export const MEMORY_CHECKS: readonly Check[] = [
  { title: "kept by ours", run: keptByOurs },
  { title: "kept by node:http2", run: keptByNode },
];
