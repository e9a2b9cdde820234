import assert from "node:assert/strict";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import type { Stack } from "../stack/stack.ts";
import { waitUntil } from "../io/wait.ts";
import { Control } from "./control.ts";
import type { State } from "./state.ts";

/** A stack without servers that notes how often it is asked for them. */
function emptyStack() {
  const asked = { servers: 0, envoy: 0 };
  const stack:
    & Pick<
      Stack,
      "endpoint" | "l4Endpoint" | "servers"
    >
    & { readonly admin: Pick<Stack["admin"], "url" | "stats" | "hosts"> } = {
      endpoint: "127.0.0.1:1",
      l4Endpoint: "127.0.0.1:2",
      servers: () => {
        asked.servers += 1;
        return [];
      },
      admin: {
        url: "http://127.0.0.1:3/",
        stats: () => {
          asked.envoy += 1;
          return Promise.resolve(new Map([["server.live", 1]]));
        },
        hosts: () => Promise.resolve([]),
      },
    };
  return { asked, stack: stack as Stack };
}

Deno.test("Control makes the state only for those who look at it", async () => {
  const { asked, stack } = emptyStack();
  const control = new Control({
    ...{ stack, stackName: "native", serversMax: 3 },
    ...{ config: parseEnvoyConfig(), lines: [] },
    load: {
      ...{ ratePerS: 0, connections: 1, kind: "unary", workMs: 0 },
      ...{ messageCharacters: 5, listeners: [] },
    },
    countsIntervalMs: 60_000,
    onEvent: () => {},
    onCallersEnd: () => {},
    onFailure: () => {},
  });
  control.start();
  const threePolls = async () => {
    const until = asked.envoy + 3;
    assert.ok(await waitUntil(() => asked.envoy >= until, 10_000));
  };
  control.addViewer({ second: () => {} });
  await threePolls();
  assert.equal(asked.servers, 0);
  const states: State[] = [];
  const remove = control.addViewer({ state: (one) => void states.push(one) });
  await threePolls();
  remove();
  assert.ok(states.length >= 2, `${states.length} states`);
  assert.equal(asked.servers, states.length);
  assert.equal(states[0]?.envoy.isLive, true);
  await threePolls();
  assert.equal(asked.servers, states.length);
  await control.close();
});
