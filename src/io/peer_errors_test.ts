import assert from "node:assert/strict";
import process from "node:process";
import { survivePeerErrors } from "./peer_errors.ts";

function peerError(code = "ERR_HTTP2_INVALID_STREAM"): Error {
  return Object.assign(new Error("gone"), { code });
}

/** Runs `work` with an emitter of uncaught errors; collects what is said. */
function watch(
  work: (throwAt: (nowMs: number, error: unknown) => void) => void,
) {
  let nowMs = 0;
  const lines: string[] = [];
  const defects: unknown[] = [];
  const stop = survivePeerErrors(
    (line) => lines.push(line),
    (error) => defects.push(error),
    () => nowMs,
  );
  try {
    work((atMs, error) => {
      nowMs = atMs;
      process.emit("uncaughtException", error as Error);
    });
  } finally {
    stop();
  }
  return { lines, defects };
}

function line(times: string): string {
  return "a peer broke an HTTP/2 stream: ERR_HTTP2_INVALID_STREAM; continuing" +
    times;
}

Deno.test("survivePeerErrors() logs a peer's errors, once a second at most", () => {
  const { lines, defects } = watch((throwAt) => {
    for (const atMs of [0, 1, 999, 1000, 1500, 2100]) {
      throwAt(atMs, peerError());
    }
  });
  assert.deepEqual(lines, [line(""), line(" (3 times)"), line(" (2 times)")]);
  assert.deepEqual(defects, []);
});

Deno.test("survivePeerErrors() takes a refused certificate for a peer's word", () => {
  const { lines, defects } = watch((throwAt) =>
    throwAt(0, new Error("received fatal alert: UnknownCA"))
  );
  assert.deepEqual(lines, [
    "a peer ended a TLS connection: UnknownCA; continuing",
  ]);
  assert.deepEqual(defects, []);
});

for (
  const [why, error] of [
    ["an error without a code", new Error("boom")],
    ["an error of the system", peerError("ECONNREFUSED")],
    ["a wrong use of HTTP/2", peerError("ERR_HTTP2_INVALID_SESSION_X")],
    ["something that is no error", "boom"],
    ["an alert that is none", new Error("received fatal alert: \x1b[2J")],
  ] as const
) {
  Deno.test(`survivePeerErrors() takes ${why} for a defect`, () => {
    const { lines, defects } = watch((throwAt) => throwAt(0, error));
    assert.deepEqual(lines, []);
    assert.deepEqual(defects, [error]);
  });
}

Deno.test("survivePeerErrors() stops when it is told to", () => {
  const before = process.listenerCount("uncaughtException");
  survivePeerErrors(() => {}, () => {})();
  assert.equal(process.listenerCount("uncaughtException"), before);
});
