/** A server is asked to stop while it works on slow calls. */
import {
  callsIn,
  eventAtMs,
  type Experiment,
  heldIf,
  type Judge,
  measuredBetween,
  noRetries,
  type RunContext,
  unknown,
} from "../src/experiment/authors.ts";
import { Greeter } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";
import { exitsWithZero, noOtherCallIsLost } from "./_claims.ts";

const SLOW_CALLS = 20;
const WORK_MS = 1500;
const TERM = "SIGTERM server-2";

/** A health check's interval of 1 s and a round trip. */
const LAST_NEW_CALL_MS = 1200;

/** Makes the slow calls; a third of them go to server-2. */
async function makeSlowCalls(run: RunContext): Promise<void> {
  const client = connect(Greeter, run.stack.endpoint);
  run.addCalls(SLOW_CALLS);
  const request = { name: "slow", workMs: WORK_MS };
  const ends = await Promise.all(
    Array.from(
      { length: SLOW_CALLS },
      () => callToEnd(client, "SayHello", request, { deadlineMs: 10_000 }),
    ),
  );
  client.close();
  const finished = ends.filter(({ status }) => status === "OK");
  run.measure("slow calls finished", finished.length);
}

/** The server gets no new call once a health check has noticed. */
const noNewCalls: Judge = (history) => {
  const termMs = eventAtMs(history, TERM);
  if (termMs === undefined) return unknown(`no event "${TERM}"`);
  const late = callsIn(history, { fromMs: termMs + LAST_NEW_CALL_MS })
    .filter(({ server }) => server === "server-2");
  return heldIf(
    late.length === 0,
    `${late.length} calls on server-2 after ${LAST_NEW_CALL_MS} ms`,
  );
};

export const termWithSlowCalls: Experiment = {
  name: "term-with-slow-calls",
  question: "Do slow calls finish when their server is asked to stop?",
  isShort: true,
  setup: { servers: 3 },
  load: { ratePerS: 100, durationMs: 5000 },
  events: [
    { atMs: 1000, label: "20 slow calls", do: makeSlowCalls },
    {
      atMs: 1300,
      label: TERM,
      do: async (run) => {
        const status = await run.stack.stop("server-2", "SIGTERM");
        run.measure("exit code", status.code);
      },
    },
  ],
  claims: [
    {
      id: "slow",
      text: `all ${SLOW_CALLS} calls of ${WORK_MS} ms finish`,
      judge: measuredBetween("slow calls finished", { min: SLOW_CALLS }),
    },
    noOtherCallIsLost,
    {
      id: "new",
      text: `it gets no new call from ${LAST_NEW_CALL_MS} ms after SIGTERM on`,
      judge: noNewCalls,
    },
    exitsWithZero,
  ],
  control: {
    about: "the server cuts calls at once, no retries",
    changes: [noRetries],
    setup: { serverFlags: ["--drain-wait", "0", "--close-deadline", "0"] },
    breaks: ["slow"],
  },
};
