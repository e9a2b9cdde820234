/** Through a TCP proxy, the calls of one connection stay on one server. */
import { at } from "../../src/core/yaml.ts";
import type { Judge } from "../../src/experiment/experiment.ts";
import {
  allOf,
  heldIf,
  isFailed,
  shareBetween,
} from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { L4_CLUSTER, L4_PROXY, secondsAt } from "./_paths.ts";
import text from "./01_one_connection.md" with { type: "text" };

const LOST_MAX = 0.05;

const MAX_AGE = "max_downstream_connection_duration";

/** Each end of a connection may cut the calls on it, but not many. */
const losesFew: Judge = ({ calls }) => {
  const lost = calls.filter(isFailed).length;
  return heldIf(
    lost <= calls.length * LOST_MAX,
    `${lost} of ${calls.length} calls lost`,
  );
};

/** Lesson 1. */
export const oneConnection: Lesson = {
  number: 1,
  name: "one-connection",
  title: "One caller, one connection, three servers: who does the work?",
  minutes: 11,
  text,
  start: [],
  solution: [{ path: [...L4_PROXY, MAX_AGE], value: "1s" }],
  hints: [
    "On port 5001 Envoy chooses a server when a connection is opened, and " +
    "never again: what would make a caller open a new one?",
    'Look at the filter "envoy.filters.network.tcp_proxy" of the listener ' +
    '"l4": it can limit how long a connection lives, whatever happens on it.',
    `Add the line "${MAX_AGE}: 1s" to its typed_config, beside idle_timeout.`,
  ],
  check: {
    setup: { servers: 3 },
    load: {
      ratePerS: 60,
      durationMs: 8000,
      connections: 1,
      listener: "l4",
    },
    events: [],
    isMeantToFail: ({ status }) => status === "UNAVAILABLE",
    claims: [
      {
        id: "spread",
        text: "within 8 s each of three servers answers some of the calls",
        judge: allOf(
          ...[1, 2, 3].map((number) =>
            shareBetween(`server-${number}`, 0.1, 0.8)
          ),
        ),
        stillWrong:
          "The caller's one connection stays where it was opened, and all " +
          "its calls with it, so two of three servers do nothing",
      },
      {
        id: "few",
        text: "at most one call in twenty is lost",
        judge: losesFew,
        stillWrong: "Callers are sent away so often that too many calls are " +
          "cut: let a connection live longer",
      },
    ],
  },
  mistakes: [
    {
      name: "another policy",
      edits: [{
        path: [...L4_CLUSTER, "lb_policy"],
        value: "LEAST_REQUEST",
      }],
      isIn: (config) =>
        at(config, ...L4_CLUSTER, "lb_policy") !== "ROUND_ROBIN",
      sentence: "lb_policy chooses a server for each new connection, and " +
        "there is only one: no policy moves it later",
    },
    {
      name: "a shorter idle_timeout",
      edits: [{ path: [...L4_PROXY, "idle_timeout"], value: "1s" }],
      isIn: (config) =>
        at(config, ...L4_PROXY, "idle_timeout") !== "300s" &&
        at(config, ...L4_PROXY, MAX_AGE) === undefined,
      sentence:
        "idle_timeout ends a connection on which nothing is sent, and " +
        "this one carries 60 calls a second: it is never idle",
    },
    {
      name: "a connection that lives too long",
      edits: [{ path: [...L4_PROXY, MAX_AGE], value: "300s" }],
      isIn: (config) => {
        const seconds = secondsAt(config, [...L4_PROXY, MAX_AGE]);
        return seconds < 0.5 || seconds > 2;
      },
      sentence: `${MAX_AGE} is there, but connections should move several ` +
        "times within the 8 s of the check, and without losing one call in " +
        "twenty: choose 1 or 2 s",
    },
  ],
};
