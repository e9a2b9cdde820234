// @ts-check
// What do reconnecting clients hide?
//
//   k6 run loadtest/reconnect.js
//   TARGET=localhost:5001 k6 run loadtest/reconnect.js
//
// One connection per call. Every share is then even on the L4 listener (5001),
// too, which balances connections: a load test that reconnects cannot tell a
// proxy that balances calls from one that does not. grpc.js can; run it on
// both. The report also shows what connecting costs.
import { openLoop, readSettings } from "./lib/open_loop.ts";

const settings = readSettings("reconnect");

const test = openLoop({
  settings,
  reconnects: true,
  comment: () => [
    "A connection per call: balanced connections look like balanced calls",
  ],
});

export const { options, setup, handleSummary } = test;
export default test.run;
