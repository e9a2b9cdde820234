/**
 * Replies that fill an HTTP/2 window exactly, after which only the trailers,
 * with the call's status, are left to be sent.
 */
import { partAt } from "../src/core/yaml.ts";
import type { Experiment, NamedChange } from "../src/experiment/authors.ts";
import { noCallIsLost } from "./_claims.ts";

const otherLibrary: NamedChange = {
  name: "the HTTP/2 library oghttp2",
  apply: (config) => {
    const layer = partAt(
      config,
      ...["layered_runtime", "layers", 0, "static_layer"],
    );
    layer["envoy.reloadable_features.http2_use_oghttp2"] = true;
  },
};

export const largeReplies: Experiment = {
  name: "large-replies",
  question: "Do replies arrive that fill a window of HTTP/2 exactly?",
  setup: { servers: 1, serverProgram: "experiments/control/large_replies.ts" },
  load: { ratePerS: 100, durationMs: 1500 },
  events: [],
  claims: [noCallIsLost],
  control: {
    about: otherLibrary.name,
    changes: [otherLibrary],
    breaks: ["lost"],
  },
};
