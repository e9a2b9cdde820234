/**
 * Several Envoys: each caller's connection stays with one of them. So a new
 * Envoy gets calls only once callers open other connections, which they do when
 * Envoy tells them to go at some age.
 *
 * What is measured: the share of the calls that the new Envoy gets, by its own
 * count, some time after it has joined.
 */
import {
  connectionManager,
  type Experiment,
  measuredBetween,
  type NamedChange,
  type RunContext,
} from "../src/experiment/authors.ts";
import { fieldsOf } from "../src/core/yaml.ts";
import { noCallIsLost } from "./_claims.ts";
import { kubernetesOf } from "./_kubernetes.ts";

/** deploy/kubernetes has 60 s, for which nobody wants to wait. */
const AGE_S = 5;

/** A connection is given to either Envoy by chance, so there must be many. */
const CONNECTIONS = 16;

const SHARE_PERCENT_MIN = 10;

/** When the share begins to count: every connection has been replaced. */
const SETTLED_MS = 2 * AGE_S * 1000;

const COUNTED_MS = 4000;

/** The options that limit how long a caller's connection lasts. */
function connectionAge(name: string, seconds?: number): NamedChange {
  return {
    name,
    apply: (config) => {
      const manager = connectionManager(config);
      const options = fieldsOf(manager["common_http_protocol_options"]);
      if (seconds === undefined) delete options["max_connection_duration"];
      else options["max_connection_duration"] = `${seconds}s`;
    },
  };
}

/** Adds an Envoy, and measures its share once callers have moved. */
async function addEnvoy(run: RunContext): Promise<void> {
  const stack = kubernetesOf(run);
  const [old] = stack.envoys.pods;
  await stack.scaleEnvoys(2);
  run.mark("the second Envoy is Ready");
  await run.wait(SETTLED_MS);
  const before = await stack.envoys.calls();
  await run.wait(COUNTED_MS);
  const after = await stack.envoys.calls();
  let all = 0;
  let ofNew = 0;
  for (const [pod, calls] of after) {
    const grown = calls - (before.get(pod) ?? 0);
    all += grown;
    if (pod !== old?.name) ofNew += grown;
  }
  run.measure("share of the new Envoy", 100 * ofNew / Math.max(1, all));
}

export const newEnvoy: Experiment = {
  name: "new-envoy",
  question: "Does a second Envoy get its share of the calls of old callers?",
  isForKubernetes: true,
  setup: {
    servers: 3,
    changes: [connectionAge(`connections last ${AGE_S} s`, AGE_S)],
    kubernetes: { envoys: 1 },
  },
  load: {
    ratePerS: 200,
    durationMs: 25_000,
    workMs: 20,
    connections: CONNECTIONS,
  },
  events: [{ atMs: 1000, label: "one Envoy becomes two", do: addEnvoy }],
  claims: [
    noCallIsLost,
    {
      id: "share",
      text: `the new Envoy gets at least ${SHARE_PERCENT_MIN} % of the calls`,
      judge: measuredBetween("share of the new Envoy", {
        min: SHARE_PERCENT_MIN,
        unit: "%",
      }),
    },
  ],
  control: {
    about: "no max_connection_duration: callers are never told to reconnect",
    changes: [connectionAge("connections last for ever")],
    breaks: ["share"],
  },
};
