import assert from "node:assert/strict";
import { checkAction, Refusal } from "./actions.ts";

const OFFER = {
  servers: ["server-1", "server-2"],
  serversMax: 4,
  protections: ["retries"],
};

for (
  const action of [
    { do: "scale", count: 4 },
    { do: "kill", server: "server-2" },
    { do: "restart-envoy" },
    { do: "protect", id: "retries", isOn: false },
    {
      do: "load",
      load: { ratePerS: 500, connections: 16, kind: "chat", workMs: 1000 },
    },
  ]
) {
  Deno.test(`checkAction() takes ${JSON.stringify(action)}`, () => {
    assert.deepEqual(checkAction(action, OFFER), action);
  });
}

Deno.test("checkAction() takes listeners in any order, or one by its name", () => {
  for (const listeners of [["l4", "l7"], ["l7", "l4", "l4"]]) {
    assert.deepEqual(
      checkAction({ do: "load", load: { listeners } }, OFFER),
      { do: "load", load: { listeners: ["l7", "l4"] } },
    );
  }
  assert.deepEqual(
    checkAction({ do: "load", load: { listeners: "l4" } }, OFFER),
    { do: "load", load: { listeners: ["l4"] } },
  );
});

Deno.test("checkAction() fills in what a fault leaves open", () => {
  const action = checkAction({
    do: "fault",
    server: "server-1",
    fault: { kind: "delay", durationMs: 1000, delayMs: 200 },
  }, OFFER);
  assert.ok(action.do === "fault");
  assert.equal(action.fault.delayMs, 200);
  assert.equal(action.fault.isServing, true);
});

for (
  const [wish, message] of [
    [undefined, /^An action must be an object, not nothing$/],
    [[], /^An action must be an object, not \[\]$/],
    ["kill", /^An action must be an object/],
    [{}, /^do must be one of scale, .*, not nothing$/],
    [{ do: "explode" }, /^do must be one of .*, not "explode"$/],
    [{ do: "kill", server: "server-9" }, /^server must be one of server-1, /],
    [{ do: "kill", server: 2 }, /^server must be one of .*, not 2$/],
    [{ do: "kill", server: "server-1", now: 1 }, /^There is no field "now"/],
    [{ do: "kill", server: "\x1b[2J" }, /not "\\u001b\[2J"$/],
    [{ do: "scale", count: 5 }, /^count must be a whole number from 1 to 4/],
    [{ do: "scale", count: 0 }, /from 1 to 4, not 0$/],
    [{ do: "scale", count: "3" }, /not "3"$/],
    [{ do: "scale", count: 1.5 }, /not 1.5$/],
    [{ do: "protect", id: "retries", isOn: 1 }, /^isOn must be true or false/],
    [{ do: "protect", id: "luck", isOn: true }, /^id must be one of retries/],
    [{ do: "load", load: { ratePerS: 501 } }, /^ratePerS .* from 0 to 500/],
    [{ do: "load", load: { connections: 0 } }, /^connections .* 1 to 16/],
    [{ do: "load", load: { kind: "soap" } }, /^kind must be one of unary/],
    [{ do: "load", load: { listeners: ["l3"] } }, /^listeners must be one of/],
    [{ do: "load", load: { rate: 1 } }, /^There is no field "rate" here/],
    [{ do: "load", load: null }, /^load must be an object, not null$/],
    [
      { do: "fault", server: "server-1", fault: { kind: "flood" } },
      /^kind must be one of status, delay/,
    ],
    [
      {
        do: "fault",
        server: "server-1",
        fault: { kind: "delay", durationMs: 1e9 },
      },
      /duration/i,
    ],
    [
      {
        do: "fault",
        server: "server-1",
        fault: { kind: "status", durationMs: 1000, code: "14" },
      },
      /code/i,
    ],
  ] as const
) {
  Deno.test(`checkAction() refuses ${JSON.stringify(wish)}`, () => {
    assert.throws(() => checkAction(wish, OFFER), (error) => {
      assert.ok(error instanceof Refusal, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}
