import assert from "node:assert/strict";
import { callOfAccessLog, clientEvent, seenCall } from "./calls.ts";

const nameOf = (address: string) =>
  address.replace(/^127\.0\.0\.(\d):8080$/, "server-$1");

const HEAD = "12:34:56.789 /demo.v1.Greeter/SayHello";

for (
  const [what, line, servers, status, flags] of [
    [
      "an answer",
      "OK flags=- server=127.0.0.1:8080 tried=127.0.0.1:8080 attempts=1 2ms",
      ["server-1"],
      "OK",
      "",
    ],
    [
      "a retry after a host that could not be reached",
      "OK flags=- server=127.0.0.3:8080 tried=127.0.0.3:8080 attempts=2 2ms",
      ["", "server-3"],
      "OK",
      "",
    ],
    [
      "a retry after an answer",
      "OK flags=- server=127.0.0.3:8080 " +
      "tried=127.0.0.2:8080,127.0.0.3:8080 attempts=2 2ms",
      ["server-2", "server-3"],
      "OK",
      "",
    ],
    [
      "a call that no server got",
      "Unavailable flags=UH server=- tried=- attempts=0 2ms",
      [],
      "UNAVAILABLE",
      "UH",
    ],
    [
      "a status of two words",
      "DeadlineExceeded flags=UT,URX server=127.0.0.1:8080 " +
      "tried=127.0.0.1:8080 attempts=1 2ms",
      ["server-1"],
      "DEADLINE_EXCEEDED",
      "UT,URX",
    ],
    [
      "a caller that has gone",
      "Canceled flags=DC server=- tried=- attempts=0 2ms",
      [],
      "CANCELLED",
      "DC",
    ],
    [
      "a call without a status",
      "- flags=DR server=127.0.0.1:8080 tried=127.0.0.1:8080 attempts=1 2ms",
      ["server-1"],
      "UNKNOWN",
      "DR",
    ],
  ] as const
) {
  Deno.test(`callOfAccessLog() reads ${what}`, () => {
    assert.deepEqual(callOfAccessLog(`${HEAD} ${line}`, nameOf), {
      ...{ listener: "l7", servers, status, flags, latencyMs: 2 },
    });
  });
}

Deno.test("callOfAccessLog() leaves lines alone that are not about a call", () => {
  for (
    const line of [
      "",
      "[2026-11-24 12:00:00.000][1][error] something",
      "12:34:56.789 connection flags=- server=127.0.0.1:8080 2ms",
      `${HEAD} OK flags=- server=127.0.0.1:8080`,
    ]
  ) assert.equal(callOfAccessLog(line, nameOf), undefined);
});

Deno.test("clientEvent() takes a client's events and nothing else", () => {
  const call = { type: "call", kind: "error", code: "UNAVAILABLE", call: 1 };
  assert.deepEqual(clientEvent(JSON.stringify(call)), call);
  assert.deepEqual(clientEvent("client: no"), {
    ...{ type: "news", news: "client: no" },
  });
  for (
    const line of ['{"type":"summary"}', '{"type":"ca', "{}"]
  ) {
    assert.equal(clientEvent(line), undefined);
  }
});

Deno.test("seenCall() has the server that answered, or the status", () => {
  const numbers = { call: 1, latencyMs: 3 };
  assert.deepEqual(
    seenCall({ kind: "reply", server: "a", number: 7, ...numbers }, "l4"),
    { listener: "l4", servers: ["a"], status: "OK", flags: "", latencyMs: 3 },
  );
  assert.deepEqual(
    seenCall({ kind: "error", code: "X", details: "", ...numbers }, "l7"),
    { listener: "l7", servers: [], status: "X", flags: "", latencyMs: 3 },
  );
});
