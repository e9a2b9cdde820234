/**
 * A ring of servers, so that every caller stays with one of them.
 *
 * The caller is known by its address, and all calls of a run come from one.
 * Without a hash policy the ring gets a random number for each call.
 */
import {
  clusterFields,
  countBy,
  type Experiment,
  heldIf,
  isFailed,
  type NamedChange,
  routeAction,
  unknown,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const ring = clusterFields("a ring", { lb_policy: "RING_HASH" });

const hashOfCaller: NamedChange = {
  name: "hash of the caller's address",
  apply: (config) => {
    routeAction(config, "unary")["hash_policy"] = [{
      connection_properties: { source_ip: true },
    }];
  },
};

export const stickyCallers: Experiment = {
  name: "sticky-callers",
  question: "Does a caller stay with its server on a ring?",
  setup: { servers: 3, changes: [ring, hashOfCaller] },
  load: { ratePerS: 100, durationMs: 1500 },
  events: [],
  claims: [
    noCallIsLost,
    {
      id: "stays",
      text: "one server answers all calls of a caller",
      judge: ({ calls }) => {
        const answered = calls.filter((call) => !isFailed(call));
        const by = countBy(answered, ({ server }) => server);
        if (by.size === 0) return unknown("no call was answered");
        const words = [...by].map(([server, count]) => `${count} by ${server}`);
        return heldIf(by.size === 1, words.join(", "));
      },
    },
  ],
  control: {
    about: "a ring without a hash policy",
    setup: { changes: [ring] },
    breaks: ["stays"],
  },
};
