// @ts-check
// Are a few connections enough, fewer than Envoy has workers or servers?
//
//   k6 run loadtest/connections.js
//
// Makes all calls on CONNECTIONS connections, BATCH of them at once (Envoy lets
// 100 be in flight on a connection), so VUS has no meaning here. A
// connection belongs to one Envoy worker, so workers without one are idle; the
// shares must be even nevertheless. On an L4 listener each connection leads to
// one server and the other servers get no calls; L7_TARGET says that this is
// expected: TARGET=localhost:5001 L7_TARGET=localhost:5000 CONNECTIONS=1.
import { openLoop, readSettings } from "./lib/open_loop.ts";

const settings = readSettings("connections");
const test = openLoop({
  settings,
  vus: settings.connections,
  perform: (caller, given, tags) =>
    Promise.all(
      Array.from(
        { length: settings.callsAtOnce },
        () => caller.sayHelloLater(given, tags),
      ),
    ),
  callsPerIteration: settings.callsAtOnce,
  comment: () => [
    `Connections: ${settings.connections}; calls started together on each: ${settings.callsAtOnce}`,
  ],
});

export const { options, setup, handleSummary } = test;
export default test.run;
