/** What balancing connections instead of calls does. */
import type { Experiment } from "../src/experiment/experiment.ts";
import { allOf, shareBetween } from "../src/experiment/judge.ts";
import { noCallIsLost } from "./_claims.ts";

const THIRD = 1 / 3;

export const l4PinsCalls: Experiment = {
  name: "l4-pins-calls",
  question: "Are the calls of one connection balanced over the servers?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 300, durationMs: 4000, connections: 1 },
  events: [],
  claims: [
    noCallIsLost,
    {
      id: "spread",
      text: "each of three servers gets a third of the calls, within 1 %",
      judge: allOf(
        ...[1, 2, 3].map((number) =>
          shareBetween(`server-${number}`, THIRD * 0.99, THIRD * 1.01)
        ),
      ),
    },
  ],
  control: {
    about: "the L4 listener, which balances connections",
    load: { listener: "l4" },
    breaks: ["spread"],
  },
};
