// Are few connections enough, fewer than Envoy has workers or servers?
//
//   k6 run loadtest/are_few_connections_enough.js
//
// All calls on CONNECTIONS connections, BATCH of them at once. A connection
// belongs to one worker of Envoy, so workers without one are idle; the shares
// must be even all the same. On the L4 listener (TARGET=localhost:5001) as
// many servers get calls as there are connections, and the others none.
//
// Settings as in grpc.js, but without VUS, and:
//   CONNECTIONS  how many connections                        2
//   BATCH        calls that start at once on a connection; Envoy lets 100
//                be in flight                                25
import { sayHelloLater } from "./lib/greeter.js";
import { openLoop } from "./lib/open_loop.js";
import { warmup } from "./lib/phases.js";
import { readSettings } from "./lib/settings.js";

const settings = readSettings(["connections", "callsAtOnce"]);
settings.vus = settings.connections;

const test = openLoop({
  question: "Are few connections enough, fewer than workers or servers?",
  name: "are_few_connections_enough",
  settings,
  perform: (given, tags) =>
    Promise.all(
      Array.from(
        { length: settings.callsAtOnce },
        () => sayHelloLater(given, tags),
      ),
    ),
  callsPerIteration: settings.callsAtOnce,
  phases: [
    ...warmup(settings, "few"),
    {
      name: "few-connections",
      scenario: "few",
      ratePerS: settings.ratePerS,
      durationMs: settings.durationMs,
      isMeasured: true,
    },
  ],
  comment: () => [
    `Connections: ${settings.connections}; calls that start together on one: ${settings.callsAtOnce}`,
  ],
});

export const options = test.options;
export const setup = test.setup;
export default test.run;
export const handleSummary = test.handleSummary;
