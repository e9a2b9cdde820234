/** The load tests that there are. */

/** A load test. */
export interface Shape {
  /** The script in loadtest/. */
  readonly script: string;
  /** The question that it answers. */
  readonly about: string;
}

/** The load tests by their short names. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  steady: {
    script: "grpc.js",
    about: "is every server given the same share of the calls?",
  },
  knee: {
    script: "where_is_the_knee.js",
    about: "at which rate does p99 leave its bound?",
  },
  spike: {
    script: "does_a_spike_leave_a_mark.js",
    about: "does a spike leave a mark, once it is over?",
  },
  soak: {
    script: "does_it_last.js",
    about: "is the last quarter of half an hour as good as the first?",
  },
  streams: {
    script: "how_are_streams_spread.js",
    about: "how are streams spread, and does every message arrive?",
  },
  reconnect: {
    script: "what_do_reconnects_hide.js",
    about: "what does a connection per call hide?",
  },
  connections: {
    script: "are_few_connections_enough.js",
    about: "are fewer connections than workers enough?",
  },
};

/** The load test that is run unless one is named. */
export const SHAPE_DEFAULT = "steady";
