/**
 * The price of retries: a call whose connection is cut may have done its work
 * already, and its retry does it again.
 *
 * envoy.yaml accepts that, as a greeting is idempotent. For calls that are not,
 * retry only on "connect-failure,refused-stream": those that no server has
 * started. The control shows how many calls that loses.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  type Experiment,
  heldIf,
  type Judge,
  type NamedChange,
  routeAction,
} from "../src/experiment/authors.ts";
import { countOf, noCallIsLost } from "./_claims.ts";

/** Only calls that no server has started are retried. */
const onlyUnbegun: NamedChange = {
  name: "retries only calls that no server has started",
  apply: (config) => {
    const policy = partAt(routeAction(config, "unary"), "retry_policy");
    policy["retry_on"] = "connect-failure,refused-stream";
  },
};

/** Servers started more calls than callers made. */
const runsTwice: Judge = ({ calls, before, after }) => {
  const started = countOf(after, "started") - countOf(before, "started");
  return heldIf(
    started > calls.length,
    `${calls.length} calls made, ${started} started by servers`,
  );
};

export const duplicateExecution: Experiment = {
  name: "duplicate-execution",
  question: "Can a call run twice, and what does it cost to rule that out?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 150, durationMs: 4000, workMs: 50 },
  events: [{
    atMs: 1000,
    label: "server-2 drops connections with calls in flight",
    do: async ({ stack }) => {
      await stack.fault("server-2", {
        kind: "drop",
        share: 0.1,
        durationMs: 2000,
      });
    },
  }],
  claims: [
    noCallIsLost,
    {
      id: "twice",
      text: "servers start more calls than callers make: some ran twice",
      judge: runsTwice,
    },
  ],
  control: {
    about: "Envoy retries only calls that no server has started",
    changes: [onlyUnbegun],
    breaks: ["lost", "twice"],
  },
};
