/** Whether a listener balances calls is decided by the filter that it ends in. */
import { at } from "../../src/core/yaml.ts";
import { allOf, shareBetween } from "../../src/experiment/judge.ts";
import type { Lesson } from "../../src/lesson/lesson.ts";
import { noCallIsLost } from "../../experiments/_claims.ts";
import { CLUSTER, LISTENER } from "./_paths.ts";
import text from "./02_per_call.md" with { type: "text" };

const PROXY = [
  ...[...LISTENER, "default_filter_chain", "filters", 0, "typed_config"],
] as const;

const MATCH = [...LISTENER, "filter_chains", 0, "filter_chain_match"] as const;

/** Lesson 2. */
export const perCall: Lesson = {
  number: 2,
  name: "per-call",
  title: "What does Envoy need to give each call to another server?",
  minutes: 10,
  text,
  start: [
    { path: MATCH, value: { transport_protocol: "tls" } },
    {
      path: [...LISTENER, "default_filter_chain"],
      value: {
        filters: [{
          name: "envoy.filters.network.tcp_proxy",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.network." +
              "tcp_proxy.v3.TcpProxy",
            stat_prefix: "everything_else",
            cluster: "grpc-server-l4",
          },
        }],
      },
    },
  ],
  solution: [{ path: [...MATCH, "transport_protocol"], value: "raw_buffer" }],
  hints: [
    "The listener has two filter chains, one that understands calls and one " +
    "that only passes bytes on: which of them do these callers get?",
    "A chain is chosen by its filter_chain_match, and whatever matches none " +
    "goes to default_filter_chain; the callers here do not use TLS.",
    'Set transport_protocol in filter_chain_match to "raw_buffer", which ' +
    "means a connection without TLS, or remove filter_chain_match.",
  ],
  check: {
    setup: { servers: 3 },
    load: { ratePerS: 150, durationMs: 4000, connections: 1 },
    events: [],
    claims: [
      {
        ...noCallIsLost,
        stillWrong: "Calls fail that did not fail before, so port 5000 no " +
          "longer leads to the servers",
      },
      {
        id: "spread",
        text: "each of three servers answers a third of one connection's " +
          "calls, within a fifth of that",
        judge: allOf(
          ...[1, 2, 3].map((number) =>
            shareBetween(`server-${number}`, 0.8 / 3, 1.2 / 3)
          ),
        ),
        stillWrong: "All calls of the connection are on one server, because " +
          "connections without TLS still end in the tcp_proxy of " +
          "default_filter_chain, which sees no calls",
      },
    ],
  },
  mistakes: [
    {
      name: "the other cluster",
      edits: [{ path: [...PROXY, "cluster"], value: "grpc-server" }],
      isIn: (config) => at(config, ...PROXY, "cluster") === "grpc-server",
      sentence: "The tcp_proxy now leads to the cluster of the calls, but it " +
        "still passes on bytes: a cluster cannot see calls that the filter " +
        "before it did not take apart",
    },
    {
      name: "connections that end",
      edits: [{
        path: [...PROXY, "max_downstream_connection_duration"],
        value: "1s",
      }],
      isIn: (config) =>
        at(config, ...PROXY, "max_downstream_connection_duration") !==
          undefined,
      sentence: "Ending connections moves them from server to server and " +
        "cuts the calls on them: to balance calls, they must reach the " +
        "http_connection_manager",
    },
    {
      name: "another policy",
      edits: [{ path: [...CLUSTER, "lb_policy"], value: "RANDOM" }],
      isIn: (config) => at(config, ...CLUSTER, "lb_policy") !== "ROUND_ROBIN",
      sentence: "lb_policy decides which server gets the next call, but no " +
        "call comes this way as long as the connection ends in the tcp_proxy",
    },
    {
      name: "matched by a protocol of TLS",
      edits: [{ path: MATCH, value: { application_protocols: ["h2"] } }],
      isIn: (config) => {
        const names = at(config, ...MATCH, "application_protocols");
        return Array.isArray(names) && !names.includes("h2c");
      },
      sentence: '"h2" is the name of HTTP/2 within TLS; without TLS it is ' +
        '"h2c", so the chain still does not match',
    },
  ],
};
