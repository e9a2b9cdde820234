import assert from "node:assert/strict";
import { serverState, stateOf } from "../control/_state.ts";
import { checkAction } from "../control/actions.ts";
import { type CtlFlags, statusLines, wishOf } from "./ctl.ts";

/** Flags of which only these were given. */
function flags(given: Partial<CtlFlags> = {}): CtlFlags {
  return {
    ...{ kind: undefined, durationMs: 5000, delayMs: 300 },
    ...{ ratePerS: undefined, connections: undefined, listeners: undefined },
    ...{ messageCharacters: undefined, workMs: undefined },
    ...{ pagePort: 0, json: false },
    ...given,
  };
}

Deno.test("a fault of each kind has the fields without which it does nothing", () => {
  const durationMs = 5000;
  const faults = ([undefined, "status", "delay", "health"] as const).map((
    kind,
  ) => wishOf("fault", ["server-1"], flags({ kind }))["fault"]);
  assert.deepEqual(faults, [
    { kind: "status", durationMs },
    { kind: "status", durationMs },
    { kind: "delay", durationMs, delayMs: 300 },
    { kind: "health", durationMs, isServing: false },
  ]);
});

Deno.test("load asks for what its flags say, and for nothing else", () => {
  const all = {
    ...{ ratePerS: 60, connections: 2, kind: "chat" as const, workMs: 0 },
    messageCharacters: 100,
  };
  const asked = wishOf("load", [], flags({ ...all, listeners: "l7,l4" }));
  assert.deepEqual(asked, {
    ...{ do: "load", load: { ...all, listeners: ["l7", "l4"] } },
  });
  const { servers, serversMax } = stateOf(1);
  checkAction(asked, {
    ...{ servers: servers.map(({ name }) => name), serversMax },
    protections: [],
  });
  assert.deepEqual(wishOf("load", [], flags({ workMs: 20 })), {
    ...{ do: "load", load: { workMs: 20 } },
  });
});

for (
  const [verb, given, sentence] of [
    ["load", {}, "load needs a flag, for example --rate 60"],
    [
      "load",
      { kind: "delay" },
      "--kind delay is a kind of fault, not of call; --help lists both",
    ],
    [
      "fault",
      { kind: "stream" },
      "--kind stream is a kind of call, not of fault; --help lists both",
    ],
    ["fly", {}, '"fly" is not an action; --help lists them'],
  ] as const
) {
  Deno.test(`ctl refuses ${verb} with ${JSON.stringify(given)}`, () => {
    assert.throws(() => wishOf(verb, ["server-1"], flags(given)), {
      ...{ name: "Failure", kind: "usage", message: sentence },
    });
  });
}

Deno.test("status has a row for each server, with its latency if there is one", () => {
  const servers = [
    serverState(1, { latencyMs: { p50: 1.2, p99: 812 } }),
    serverState(10, { latencyMs: null, process: "stopped", started: 123456 }),
  ];
  const lines = statusLines(stateOf(2, { servers }));
  assert.deepEqual(lines.slice(0, 3), [
    "server     process  Envoy's view  active  started     p50       p99",
    "server-1   running  healthy            0        7  1.2 ms  812.0 ms",
    "server-10  stopped  healthy            0   123456       -         -",
  ]);
});
