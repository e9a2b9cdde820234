/**
 * Callers keep their connection for as long as they may, so that an Envoy that
 * joins others gets no call. A limit on its duration makes them connect anew,
 * which must not cost a call.
 */
import { partAt } from "../src/core/yaml.ts";
import {
  connectionManager,
  type Experiment,
  type NamedChange,
  statGrows,
} from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const CALLERS = 4;

/** A second, so that it is seen soon; in production it is minutes. */
const maxDuration: NamedChange = {
  name: "callers' connections end after 1 s",
  apply: (config) => {
    const options = partAt(
      connectionManager(config),
      "common_http_protocol_options",
    );
    options["max_connection_duration"] = "1s";
  },
};

export const connectionAge: Experiment = {
  name: "connection-age",
  question: "Do callers ever connect anew, and does that cost a call?",
  setup: { servers: 3, changes: [maxDuration] },
  load: { ratePerS: 200, durationMs: 2500, connections: CALLERS },
  events: [],
  claims: [
    noCallIsLost,
    {
      id: "anew",
      text: "every caller connects anew within 2.5 s",
      judge: statGrows("http.grpc.downstream_cx_total", { min: CALLERS }),
    },
  ],
  control: {
    about: "connections may last for ever, which is Envoy's default",
    setup: { changes: [] },
    breaks: ["anew"],
  },
};
