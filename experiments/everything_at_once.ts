/** A year's worth of server incidents in one minute. */
import {
  type Experiment,
  measuredBetween,
  noRetries,
  type RunContext,
} from "../src/experiment/authors.ts";
import { exitsWithZero, noCallIsLost } from "./_claims.ts";
import { restartAll } from "./rolling_restart.ts";

const RATE_PER_S = 300;
const DURATION_MS = 60_000;

/** Kills a server and restarts it once Envoy has noticed. */
async function killOne(run: RunContext): Promise<void> {
  const victim = run.stack.servers()[1]?.name ?? "";
  run.mark(`kill -9 ${victim}`);
  await run.stack.stop(victim, "SIGKILL");
  await run.wait(2000);
  await run.stack.start(victim);
  await run.awaitHealthy(run.stack.servers().length);
}

/** Three to five to two, and back to three. */
async function scale(run: RunContext): Promise<void> {
  for (const count of [5, 2, 3]) {
    if (run.signal.aborted) return;
    run.mark(`scale to ${count}`);
    await run.stack.scale(count);
    await run.awaitHealthy(count);
  }
}

/** Two servers in turn report NOT_SERVING for two seconds. */
async function flipHealth(run: RunContext): Promise<void> {
  for (const server of run.stack.servers().slice(0, 2)) {
    run.mark(`${server.name} reports NOT_SERVING`);
    await run.stack.fault(server.name, {
      kind: "health",
      isServing: false,
      durationMs: 2000,
    });
    await run.wait(2500);
    await run.awaitHealthy(run.stack.servers().length);
  }
}

/** One step after the other, each once all servers are healthy again. */
async function everything(run: RunContext): Promise<void> {
  for (const step of [restartAll, killOne, scale, flipHealth]) {
    if (!run.signal.aborted) await step(run);
  }
  run.measure("all is over", run.elapsedMs());
}

export const everythingAtOnce: Experiment = {
  name: "everything-at-once",
  question: "Is any of 18,000 calls lost in a minute of restarts, a kill, " +
    "scaling and health flips?",
  isForDocker: true,
  setup: { servers: 3 },
  load: { ratePerS: RATE_PER_S, durationMs: DURATION_MS },
  events: [{ atMs: 1000, label: "everything", do: everything }],
  claims: [
    noCallIsLost,
    exitsWithZero,
    {
      id: "within",
      text: "all of it happens while calls are made",
      judge: measuredBetween("all is over", { max: DURATION_MS, unit: "ms" }),
    },
  ],
  control: {
    about: "a kill and scaling without retries and without draining",
    changes: [noRetries],
    setup: { serverFlags: ["--drain-wait", "0", "--close-deadline", "0"] },
    load: { durationMs: 15_000 },
    events: [
      { atMs: 1000, label: "kill -9", do: killOne },
      {
        atMs: 9000,
        label: "scale to 2",
        do: ({ stack }) => stack.scale(2),
      },
    ],
    breaks: ["lost"],
  },
};
