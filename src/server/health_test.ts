import "./npm_protos.ts";
import assert from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { callUnary } from "../io/rpc.ts";
import { Fixture, until } from "./_fixture.ts";
import { type HealthClient, HealthService } from "./ask.ts";
import { Health } from "./health.ts";
import { pause } from "../io/wait.ts";

async function check(client: HealthClient, name = ""): Promise<string> {
  const request = { service: name };
  return (await callUnary(client, "check", request, { deadlineMs: 10_000 }))
    .status;
}

for (const name of ["", "demo.v1.Greeter"]) {
  Deno.test(`the health of "${name}" is SERVING`, async () => {
    await using fixture = await Fixture.start();
    assert.equal(
      await check(fixture.connectTo(HealthService), name),
      "SERVING",
    );
  });
}

for (const name of ["demo.v1.Admin", "grpc-server"]) {
  Deno.test(`the health of "${name}" is NOT_FOUND`, async () => {
    await using fixture = await Fixture.start();
    await assert.rejects(check(fixture.connectTo(HealthService), name), {
      code: status.NOT_FOUND,
    });
  });
}

Deno.test("close() waits until a checker has seen NOT_SERVING", async () => {
  await using fixture = await Fixture.start({ drainWaitMs: 5000 });
  const checker = fixture.connectTo(HealthService);
  assert.equal(await check(checker), "SERVING");
  assert.equal(await check(checker), "SERVING");
  let hasClosed = false;
  const closed = fixture.server.close().then(() => hasClosed = true);
  await until(() => fixture.lines.length === 2);
  // A check by another caller does not inform the checker.
  const other = fixture.connectTo(HealthService);
  assert.equal(await check(other, "demo.v1.Greeter"), "NOT_SERVING");
  await pause(60);
  assert.equal(fixture.lines.length, 2);
  assert.equal(hasClosed, false);
  assert.equal(await check(checker), "NOT_SERVING");
  await closed;
  assert.deepEqual(fixture.lines.slice(1), [
    "not serving; waiting for health checkers to see it: 1",
    "closing connections; calls in flight: 0",
  ]);
});

Deno.test("close() gives up on a checker that does not ask again", async () => {
  await using fixture = await Fixture.start({ drainWaitMs: 20 });
  const checker = fixture.connectTo(HealthService);
  await check(checker);
  await check(checker);
  await fixture.server.close();
  assert.deepEqual(fixture.lines.slice(1), [
    "not serving; waiting for health checkers to see it: 1",
    "gave up waiting for health checkers after 20 ms",
    "closing connections; calls in flight: 0",
  ]);
});

Deno.test("close() does not wait when there are no checkers", async () => {
  await using fixture = await Fixture.start({ drainWaitMs: 60_000 });
  await fixture.server.close();
  assert.deepEqual(fixture.lines.slice(1), [
    "closing connections; calls in flight: 0",
  ]);
});

/** One check: when, whose, and whether the answer was SERVING. */
type Check = readonly [atMs: number, peer: string, isServing: boolean];

for (
  const [why, checks, askedAtMs, expected] of [
    ["nobody asked", [], 0, []],
    ["one check just now may be followed by another", [[0, "a", true]], 1499, [
      "a",
    ]],
    [
      "one check long ago is not followed by another",
      [[0, "a", true]],
      1500,
      [],
    ],
    [
      "two checks mean a checker that asks again",
      [[0, "a", true], [1000, "a", true]],
      15_999,
      ["a"],
    ],
    [
      "a checker that fell silent is gone",
      [[0, "a", true], [1000, "a", true]],
      16_000,
      [],
    ],
    [
      "a checker that saw NOT_SERVING is informed",
      [[0, "a", true], [1000, "a", true], [1000, "a", false]],
      1000,
      [],
    ],
    [
      "one is informed, one is not",
      [[0, "a", true], [0, "b", true], [9, "a", true], [9, "b", true], [
        10,
        "b",
        false,
      ]],
      10,
      ["a"],
    ],
    [
      "two connections of one machine are two checkers",
      [[0, "h:1", true], [0, "h:2", true]],
      1,
      ["h:1", "h:2"],
    ],
  ] as readonly (readonly [string, readonly Check[], number, string[]])[]
) {
  Deno.test(`uninformed() is [${expected}] when ${why}`, () => {
    let nowMs = 0;
    const health = new Health(() => nowMs);
    for (const [atMs, peer, isServing] of checks) {
      nowMs = atMs;
      health.noteAnswer(peer, isServing);
    }
    nowMs = askedAtMs;
    assert.deepEqual(health.uninformed(), expected);
  });
}
