/**
 * Calls that take longer than their route allows.
 *
 * As UNAVAILABLE, which Envoy answers by default, a call looks as if no server
 * had started it, and callers make it again; as DEADLINE_EXCEEDED it does not.
 * And each call must have run once: a limit for each attempt makes Envoy start
 * a slow call again while the first attempt still runs.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  countBy,
  type Experiment,
  heldIf,
  type Judge,
  type NamedChange,
  routeAction,
  unknown,
} from "../src/experiment/authors.ts";
import { countOf } from "./_claims.ts";

const TIMEOUT_MS = 300;

const WORK_MS = 2 * TIMEOUT_MS;

const shortTimeout: NamedChange = {
  name: `a route's timeout of ${TIMEOUT_MS / 1000} s`,
  apply: (config) => {
    const unary = routeAction(config, "unary");
    delete unary["max_stream_duration"];
    unary["timeout"] = `${TIMEOUT_MS / 1000}s`;
  },
};

const noStatusFlag: NamedChange = {
  name: "Envoy's default status of a timeout",
  apply: (config) => {
    const layer = partAt(
      config,
      ...["layered_runtime", "layers", 0, "static_layer"],
    );
    delete layer[
      "envoy.reloadable_features.grpc_timeout_returns_deadline_exceeded"
    ];
  },
};

const perTryTimeout: NamedChange = {
  name: "a third of the timeout for each attempt",
  apply: (config) => {
    const policy = partAt(routeAction(config, "unary"), "retry_policy");
    policy["per_try_timeout"] = `${TIMEOUT_MS / 3000}s`;
  },
};

const isDeadline: Judge = ({ calls }) => {
  if (calls.length === 0) return unknown("no call was made");
  const by = countBy(calls, ({ status }) => status);
  return heldIf(
    by.get("DEADLINE_EXCEEDED") === calls.length,
    [...by].map(([status, count]) => `${count} ${status}`).join(", "),
  );
};

const runsOnce: Judge = ({ calls, before, after }) => {
  const started = countOf(after, "started") - countOf(before, "started");
  return heldIf(
    started === calls.length,
    `${calls.length} calls made, ${started} started by servers`,
  );
};

export const routeTimeout: Experiment = {
  name: "route-timeout",
  question: "How does a call end whose route allows it no more time?",
  setup: { servers: 3, changes: [shortTimeout] },
  load: { ratePerS: 50, durationMs: 1500, workMs: WORK_MS },
  events: [],
  isMeantToFail: ({ status }) => status === "DEADLINE_EXCEEDED",
  claims: [
    {
      id: "status",
      text: "every call ends as DEADLINE_EXCEEDED",
      judge: isDeadline,
    },
    { id: "once", text: "servers start each call once", judge: runsOnce },
  ],
  control: {
    about: noStatusFlag.name,
    changes: [noStatusFlag],
    breaks: ["status"],
  },
  furtherControls: [{
    about: perTryTimeout.name,
    changes: [perTryTimeout],
    breaks: ["once"],
  }],
};
