/** A small lesson for tests. */
import { at } from "../core/yaml.ts";
import { lostAtMost } from "../experiment/judge.ts";
import type { Lesson } from "./lesson.ts";

const CLUSTER = ["static_resources", "clusters", "grpc-server"] as const;
const THRESHOLD = [
  ...CLUSTER,
  ...["common_lb_config", "healthy_panic_threshold", "value"],
];

const ROUTE = [
  ...["static_resources", "listeners", "grpc", "filter_chains", 0],
  ...["filters", 0, "typed_config", "route_config", "virtual_hosts", 0],
  ...["routes", "unary", "route"],
];

/** When Envoy knows that two servers are out. */
const KNOWN_MS = 2500;

/** "panic": Envoy calls servers that it knows to be unhealthy. */
export const PANIC: Lesson = {
  number: 5,
  name: "panic",
  title: "Does Envoy call servers that it knows to be unhealthy?",
  minutes: 5,
  text: `## Question

Two of three servers say \`NOT_SERVING\`. Who gets the calls?

\`\`\`sh
./demo up --config my/05-panic/envoy.yaml
\`\`\`
`,
  start: [
    { path: THRESHOLD, value: 50 },
    // They would hide where calls go.
    { path: [...CLUSTER, "outlier_detection"], value: undefined },
    { path: [...ROUTE, "retry_policy"], value: undefined },
  ],
  solution: [{ path: THRESHOLD, value: 0 }],
  hints: ["Count the healthy servers.", "Who is called in a panic?", "Set 0."],
  check: {
    setup: { servers: 3, mayPanic: true },
    load: { ratePerS: 100, durationMs: 4000 },
    events: [{
      atMs: 500,
      label: "two of three report NOT_SERVING",
      do: async ({ stack }) => {
        for (const name of ["server-1", "server-2"]) {
          await stack.fault(name, {
            kind: "status",
            durationMs: 60_000,
            isServing: false,
          });
        }
      },
    }],
    claims: [{
      id: "lost",
      text: "once Envoy knows, no call is lost",
      stillWrong: "Calls still reach servers that are out",
      judge: lostAtMost(0, { fromMs: KNOWN_MS }),
    }],
  },
  mistakes: [{
    name: "a higher threshold",
    edits: [{ path: THRESHOLD, value: 70 }],
    isIn: (config) => Number(at(config, ...THRESHOLD)) > 50,
    sentence: "A higher threshold makes Envoy panic earlier",
  }],
};
