import assert from "node:assert/strict";
import { type Counted, reconcileLedgers } from "./reconcile.ts";

const EQUAL: Counted = {
  callers: { l7: 100, l4: 40 },
  lost: { l7: 0, l4: 0 },
  envoy: 100,
  envoyTries: 100,
  servers: 140,
  isBusy: false,
  isCut: false,
};

for (
  const [what, change, agrees, verdict] of [
    ["agree", {}, true, /^They agree\.$/],
    [
      "are not compared while calls are in flight",
      { isBusy: true },
      null,
      /in flight/,
    ],
    [
      "agree when a retry was one more try",
      { envoyTries: 103, servers: 143 },
      true,
      /^They agree\.$/,
    ],
    [
      "name other callers",
      { envoy: 107, envoyTries: 107, servers: 147 },
      true,
      /^They agree; 7 calls on the L7 listener came from others\.$/,
    ],
    [
      "know lost calls that never reached Envoy",
      { envoy: 98, envoyTries: 98, servers: 138, lost: { l7: 2, l4: 0 } },
      true,
      /2 calls never reached Envoy/,
    ],
    [
      "differ when calls are missing that nobody lost",
      { envoy: 98, envoyTries: 98, servers: 138 },
      false,
      /^They differ; 2 calls never reached Envoy/,
    ],
    [
      "allow a killed server to take its counts along",
      { servers: 137, isCut: true },
      true,
      /3 calls reached no server/,
    ],
    [
      "differ when a server has counted less",
      { servers: 139 },
      false,
      /^They differ; 1 call reached no server/,
    ],
    [
      "cannot be compared when servers were called directly",
      { servers: 150 },
      null,
      /^They cannot be compared; 10 calls reached servers/,
    ],
  ] as const
) {
  Deno.test(`ledgers ${what}`, () => {
    const found = reconcileLedgers({ ...EQUAL, ...change });
    assert.equal(found.agrees, agrees);
    assert.match(found.verdict, verdict);
  });
}
