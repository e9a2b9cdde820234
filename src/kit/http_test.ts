import assert from "node:assert/strict";
import { answerTo, type Offer } from "./http.ts";

const OFFER: Offer = {
  ...{ name: "kit-1.tar.gz", path: "kit", bytes: 1000, sha256: "ab12" },
};

function ask(first: string, ...headers: string[]) {
  return answerTo([first, ...headers].join("\r\n"), [OFFER]);
}

function statusOf({ head }: { readonly head: string }): number {
  return Number(/^HTTP\/1\.1 (\d+) /.exec(head)?.[1]);
}

for (
  const [target, status] of [
    ["/", 200],
    ["/?x=1", 200],
    ["/kit-1.tar.gz", 200],
    ["/kit-1.tar.gz.sha256", 200],
    ["/kit", 404],
    ["/..", 404],
    ["/../kit", 404],
    ["/../../etc/passwd", 404],
    ["/%2e%2e/kit", 404],
    ["//kit-1.tar.gz", 404],
    ["/./kit-1.tar.gz", 404],
    ["/kit-1.tar.gz/", 404],
    ["/kit-1.tar.gz%00", 404],
    ["http://elsewhere/", 404],
    ["kit-1.tar.gz", 404],
    ["*", 404],
  ] as const
) {
  Deno.test(`answerTo() answers ${status} to ${target}`, () => {
    assert.equal(statusOf(ask(`GET ${target} HTTP/1.1`)), status);
  });
}

for (
  const [first, status] of [
    ["POST / HTTP/1.1", 405],
    ["DELETE /kit-1.tar.gz HTTP/1.1", 405],
    ["get / HTTP/1.1", 400],
    ["GET / HTTP/2", 400],
    ["GET  / HTTP/1.1", 400],
    ["GET / x HTTP/1.1", 400],
    ["", 400],
    ["\x16\x03\x01", 400],
  ] as const
) {
  Deno.test(`answerTo() answers ${status} to "${first}"`, () => {
    assert.equal(statusOf(ask(first)), status);
  });
}

for (
  const [range, status, start, end] of [
    ["bytes=0-", 206, 0, 1000],
    ["bytes=10-19", 206, 10, 20],
    ["bytes=999-", 206, 999, 1000],
    ["bytes=0-5000", 206, 0, 1000],
    ["bytes=-1", 206, 999, 1000],
    ["bytes=-5000", 206, 0, 1000],
    ["bytes=1000-", 416, undefined, undefined],
    ["bytes=-0", 416, undefined, undefined],
    // What is not understood, or several ranges: everything.
    ["bytes=5-4", 200, 0, 1000],
    ["bytes=0-1,5-6", 200, 0, 1000],
    ["bytes=-", 200, 0, 1000],
    ["bytes=a-b", 200, 0, 1000],
    ["lines=1-2", 200, 0, 1000],
    ["bytes=99999999999999999999-", 200, 0, 1000],
  ] as const
) {
  Deno.test(`answerTo() answers ${status} to the range ${range}`, () => {
    const answer = ask("GET /kit-1.tar.gz HTTP/1.1", `Range: ${range}`);
    assert.equal(statusOf(answer), status);
    const part = typeof answer.body === "string" ? undefined : answer.body;
    assert.deepEqual([part?.start, part?.end], [start, end]);
    const contentRange = /\r\ncontent-range: (.*)\r\n/.exec(answer.head)?.[1];
    assert.equal(
      contentRange,
      status === 200
        ? undefined
        : status === 416
        ? "bytes */1000"
        : `bytes ${start}-${(end ?? 0) - 1}/1000`,
    );
    if (part === undefined) return;
    assert.ok(
      answer.head.includes(`\r\ncontent-length: ${part.end - part.start}\r\n`),
    );
  });
}

Deno.test("answerTo() resumes only the file that was begun", () => {
  const range = "Range: bytes=10-";
  const get = "GET /kit-1.tar.gz HTTP/1.1";
  assert.equal(statusOf(ask(get, range, 'If-Range: "ab12"')), 206);
  assert.equal(statusOf(ask(get, range, 'If-Range: "other"')), 200);
  assert.equal(statusOf(ask(get, range, "Range: bytes=20-")), 200);
});

Deno.test("answerTo() answers HEAD with GET's head and no body", () => {
  for (const target of ["/", "/kit-1.tar.gz", "/nothing"]) {
    const head = ask(`HEAD ${target} HTTP/1.1`);
    assert.equal(head.head, ask(`GET ${target} HTTP/1.1`).head);
    assert.equal(head.body, "");
  }
});

Deno.test("answerTo() never repeats what it was asked", () => {
  const { head, body } = ask("GET /<script>evil HTTP/1.1", "evil: evil");
  assert.ok(!`${head}${body}`.includes("evil"));
});
