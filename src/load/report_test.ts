import assert from "node:assert/strict";
import {
  agrees,
  disturbanceLine,
  generatorLine,
  ledgersLine,
  ledgersOf,
} from "./report.ts";

const REPORT = { ledger: { callsSent: 12, retries: 1, statuses: {} } };

Deno.test("ledgersOf() counts from the reading before", () => {
  const ledgers = ledgersOf(
    REPORT,
    { servers: 5, envoy: 7 },
    { servers: 17, envoy: 19 },
  );
  assert.deepEqual(ledgers, { k6: 12, servers: 12, envoy: 12 });
  assert.equal(
    ledgersLine(ledgers),
    "Calls counted by k6: 12, by the servers: 12, by Envoy without retries: 12",
  );
});

Deno.test("agrees() is false when one of the three differs", () => {
  assert.equal(agrees({ k6: 3, servers: 3, envoy: 3 }), true);
  assert.equal(agrees({ k6: 4, servers: 3, envoy: 3 }), false);
  assert.equal(agrees({ k6: 3, servers: 4, envoy: 3 }), false);
  assert.equal(agrees({ k6: 3, servers: 3, envoy: 4 }), false);
});

Deno.test("generatorLine() tells cores and percent", () => {
  assert.equal(
    generatorLine({ coresBusy: 0.271, cores: 2 }),
    "The load generator used 0.27 of 2 cores (14 %)",
  );
});

Deno.test("disturbanceLine() tells shares and lateness", () => {
  assert.equal(
    disturbanceLine({ timersLateMs: 3.6, othersShare: 0.12, stolenShare: 0 }),
    "Other programs took 12 % of the processor, the machine's host 0 %; " +
      "timers were up to 4 ms late (p99)",
  );
});
