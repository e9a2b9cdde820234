import assert from "node:assert/strict";
import type { CallRecord } from "../core/caller.ts";
import { LOAD_AT_FIRST } from "../control/callers.ts";
import { CallPrinter } from "./up_output.ts";

/** A printer for a terminal of 80 columns, and the lines that it prints. */
function printerOf({ ratePerS = 1, columns = 80 } = {}) {
  const lines: string[] = [];
  const printer = new CallPrinter(
    () => ({ ...LOAD_AT_FIRST, ratePerS }),
    {
      say: (program, line) => void lines.push(`${program.padEnd(9)} | ${line}`),
      columns: () => columns,
    },
  );
  const call = (own: Partial<CallRecord> = {}) =>
    printer.note(
      "l7",
      {
        ...{ type: "call", kind: "reply", call: 1, latencyMs: 3.3 },
        ...{ server: "server-1", number: 1, ...own },
      } as { readonly type: "call" } & CallRecord,
    );
  return { printer, lines, call };
}

/** What Envoy says when a server is not there. */
const DETAILS = "upstream connect error or disconnect/reset before headers. " +
  "retried and the latest reset reason: remote connection failure";

Deno.test("calls of a day have the same columns, and none is wider than 80", () => {
  const { lines, call } = printerOf();
  call();
  for (let made = 1; made < 9999; made += 1) call({ number: made });
  lines.splice(1);
  call({ server: "server-10", number: 3333, latencyMs: 2000.1 });
  call({ kind: "error", code: "UNAVAILABLE", details: DETAILS });
  call({ kind: "error", code: "FAILED_PRECONDITION", details: "no" });
  assert.deepEqual(lines, [
    "client    | call 1      server-1   reply 1         3.3 ms",
    "client    | call 10000  server-10  reply 3333   2000.1 ms",
    "client    | call 10001  UNAVAILABLE                3.3 ms  upstream connect",
    "client    |   error or disconnect/reset before headers. retried and the latest",
    "client    |   reset reason: remote connection failure",
    "client    | call 10002  FAILED_PRECONDITION        3.3 ms  no",
  ]);
  for (const line of lines) assert.ok(line.length <= 80, line);
});

Deno.test("a long story is wrapped, and said once more when it is over", () => {
  const { printer, lines } = printerOf();
  const story = { id: 1, atMs: 0, who: "ctl", text: "server-2 killed" };
  printer.tellStory({ ...story, isOpen: true });
  printer.tellStory({ ...story, text: "more to come", isOpen: true });
  printer.tellStory({
    ...story,
    text: "server-2 killed; Envoy took it out of rotation after 1.1 s; 3 " +
      "calls retried, 0 lost; back after 4.2 s",
    isOpen: false,
  });
  assert.deepEqual(lines, [
    "up        | server-2 killed (ctl)",
    "up        | server-2 killed; Envoy took it out of rotation after 1.1 s; 3 calls",
    "up        |   retried, 0 lost; back after 4.2 s (ctl)",
  ]);
  for (const line of lines) assert.ok(line.length <= 80, line);
});

Deno.test("a pipe gets a line for a line", () => {
  const { lines, call } = printerOf({ columns: Infinity });
  call({ kind: "error", code: "UNAVAILABLE", details: DETAILS });
  assert.equal(lines.length, 1);
  assert.ok(lines[0]?.endsWith(`ms  ${DETAILS}`));
});

Deno.test("many calls are a line a second, with the same columns", () => {
  const { printer, lines, call } = printerOf({ ratePerS: 500 });
  for (let made = 0; made < 20; made += 1) {
    call({ server: `server-${made % 2}` });
  }
  printer.nextSecond();
  for (let made = 0; made < 997; made += 1) call({ latencyMs: 1203 });
  for (let made = 0; made < 3; made += 1) {
    call({ kind: "error", code: "UNAVAILABLE", details: "no" });
  }
  printer.nextSecond();
  printer.nextSecond();
  assert.deepEqual(lines, [
    "client    |   20 calls  p99    3.3 ms     0 lost  10/10",
    "client    | 1000 calls  p99 1203.0 ms     3 lost  997",
  ]);
  assert.equal(
    printer.summaryLines()[0],
    "1020 calls, 1017 succeeded, 3 failed",
  );
});
