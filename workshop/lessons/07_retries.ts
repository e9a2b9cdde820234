/** A retry helps if it goes to another server. */
import { at, listOf } from "../../src/core/yaml.ts";
import type { EnvoyConfig } from "../../src/stack/envoy_config.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import { heldIf, lostAtMost } from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { CLUSTER, RETRY_POLICY } from "./_paths.ts";
import text from "./07_retries.md" with { type: "text" };

const PREDICATES = [...RETRY_POLICY, "retry_host_predicate"] as const;

const PREVIOUS_HOSTS = "envoy.retry_host_predicates.previous_hosts";

/**
 * One call in a hundred of those that the check makes: on a busy machine a
 * retry may be refused, as too many wait at the same moment.
 */
const FEW = 7;

/** How often a call was tried at most. */
const triesTwice: Judge = ({ calls }) => {
  const more = calls.filter(({ attempts }) => attempts > 2).length;
  return heldIf(more <= FEW, `${more} of ${calls.length} calls tried 3 times`);
};

/** Whether a retry may still go to the server that has just failed. */
function mayRepeat(config: EnvoyConfig): boolean {
  return !listOf(at(config, ...PREDICATES))
    .some(({ name }) => String(name).includes("previous_hosts"));
}

/** Lesson 7. */
export const retries: Lesson = {
  number: 7,
  name: "retries",
  title: "A call fails and is retried: where does the retry go?",
  minutes: 10,
  text,
  start: [
    // At the default of 10 %, one of two servers is never ejected. Otherwise it
    // might be, in the middle of the check, and nothing would be left to see.
    {
      path: [...CLUSTER, "outlier_detection", "max_ejection_percent"],
      value: undefined,
    },
    { path: PREDICATES, value: undefined },
    {
      path: [...RETRY_POLICY, "host_selection_retry_max_attempts"],
      value: undefined,
    },
  ],
  solution: [{
    path: PREDICATES,
    value: [{
      name: PREVIOUS_HOSTS,
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.retry.host." +
          "previous_hosts.v3.PreviousHostsPredicate",
      },
    }],
  }],
  hints: [
    "Half of the servers are fine, and a call is tried three times: how can " +
    "all three tries go to the broken one?",
    "Round robin goes on for every call, so a retry may get the same server " +
    "again: a retry_policy can say which servers a retry should not get.",
    `Add "retry_host_predicate: [{ name: ${PREVIOUS_HOSTS}, typed_config: ` +
    '{ "@type": type.googleapis.com/envoy.extensions.retry.host.' +
    'previous_hosts.v3.PreviousHostsPredicate } }]" to the retry_policy of ' +
    'the route "unary".',
  ],
  check: {
    setup: { servers: 2 },
    load: { ratePerS: 150, durationMs: 5000 },
    events: [{
      atMs: 500,
      label: "server-2 breaks the connection of every call",
      do: async ({ stack }) => {
        await stack.fault("server-2", { kind: "drop", durationMs: 60_000 });
      },
    }],
    claims: [
      {
        id: "lost",
        text: "at most one call in a hundred is lost",
        judge: lostAtMost(FEW),
        stillWrong:
          "One of two servers breaks every call, and some calls are " +
          "retried only there, because a retry may go to the server that has " +
          "just failed",
      },
      {
        id: "twice",
        text: "at most one call in a hundred is tried more than twice",
        judge: triesTwice,
        stillWrong: "Calls need a third try, so the second went to the " +
          "server that had just failed",
      },
    ],
  },
  mistakes: [
    {
      name: "on a status only",
      edits: [{ path: [...RETRY_POLICY, "retry_on"], value: "unavailable" }],
      isIn: (config) =>
        !/reset|5xx|gateway-error/.test(
          String(at(config, ...RETRY_POLICY, "retry_on")),
        ),
      sentence: "A gRPC status in retry_on is one that a server sent, and a " +
        'connection that breaks sends none: that is "reset"',
    },
    {
      name: "more retries",
      edits: [{ path: [...RETRY_POLICY, "num_retries"], value: 6 }],
      isIn: (config) =>
        mayRepeat(config) &&
        Number(at(config, ...RETRY_POLICY, "num_retries")) > 2,
      sentence: "More retries make it likelier that one of them meets the " +
        "good server, at the price of more tries on the broken one: say " +
        "where a retry may go instead",
    },
    {
      name: "more selections without a predicate",
      edits: [{
        path: [...RETRY_POLICY, "host_selection_retry_max_attempts"],
        value: 5,
      }],
      isIn: (config) =>
        mayRepeat(config) &&
        at(config, ...RETRY_POLICY, "host_selection_retry_max_attempts") !==
          undefined,
      sentence: "host_selection_retry_max_attempts says how often Envoy may " +
        "choose again when a server is refused, and nothing refuses one: " +
        "that is what retry_host_predicate is for",
    },
    {
      name: "a limit for each try",
      edits: [{ path: [...RETRY_POLICY, "per_try_timeout"], value: "0.2s" }],
      isIn: (config) =>
        mayRepeat(config) &&
        at(config, ...RETRY_POLICY, "per_try_timeout") !== undefined,
      sentence: "No try takes long, as the broken server ends each at once: " +
        "per_try_timeout is for servers that are silent",
    },
  ],
};
