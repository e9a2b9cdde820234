/** What a balancer of connections does to calls. */
import type { Experiment } from "../src/experiment/experiment.ts";
import { allOf, shareBetween } from "../src/experiment/judge.ts";
import { noCallIsLost } from "./_claims.ts";

const THIRD = 1 / 3;

/** Are the calls of one connection spread? */
export const l4PinsCalls: Experiment = {
  name: "l4-pins-calls",
  question: "Are the calls of one connection spread over the servers?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 4000, connections: 1 },
  events: [],
  claims: [
    noCallIsLost,
    {
      id: "spread",
      text: "three servers have a third of the calls each, within 1 %",
      judge: allOf(
        ...[1, 2, 3].map((number) =>
          shareBetween(`server-${number}`, THIRD * 0.99, THIRD * 1.01)
        ),
      ),
    },
  ],
  control: {
    about: "the listener that balances connections",
    load: { listener: "l4" },
    breaks: ["spread"],
  },
};
