/** The engine on real stacks, with experiments made to go wrong. */
import assert from "node:assert/strict";
import { Greeter } from "../src/io/proto.ts";
import { callUnary, connect } from "../src/io/rpc.ts";
import { noRetries } from "../src/experiment/changes.ts";
import { conduct, type Result } from "../src/experiment/conduct.ts";
import type { Experiment } from "../src/experiment/experiment.ts";
import type { Disturbance } from "../src/io/disturbance.ts";
import {
  lostAtMost,
  measuredBetween,
  outcomesOf,
  unavailableIn,
} from "../src/experiment/judge.ts";
import { nativeStacks } from "../src/experiment/stacks.ts";

/** One of two servers fails calls; retries hide it. */
const HIDDEN: Experiment = {
  name: "hidden",
  question: "Do retries hide a failing server?",
  setup: { servers: 2 },
  load: { ratePerS: 100, durationMs: 1000 },
  events: [{
    atMs: 100,
    label: "one failing",
    do: async ({ stack }) => {
      const fault = { kind: "status", durationMs: 60_000, share: 0.5 } as const;
      await stack.fault("server-2", fault);
    },
  }],
  claims: [{ id: "lost", text: "no call is lost", judge: lostAtMost(0) }],
  control: { about: "no retries", changes: [noRetries], breaks: ["lost"] },
};

const QUIET: Disturbance = { timersLateMs: 0, othersShare: 0, stolenShare: 0 };

async function run(
  experiment: Experiment,
  signal: AbortSignal = new AbortController().signal,
): Promise<
  Result & {
    readonly events: readonly string[];
    readonly timersLateMsMax: readonly number[];
  }
> {
  const events: string[] = [];
  const timersLateMsMax: number[] = [];
  const result = await conduct(experiment, {
    stacks: await nativeStacks(() => {}, signal),
    seed: 1,
    signal,
    // Other tests run beside this one, and its claims stand all that.
    watchDisturbance: (maxMs) => {
      timersLateMsMax.push(maxMs);
      return Promise.resolve(() => Promise.resolve(QUIET));
    },
    onRun: (control) => events.push(control?.about ?? "promise"),
    onProgress: ({ event }) => event !== undefined && events.push(event),
  });
  return { ...result, events, timersLateMsMax };
}

Deno.test("an experiment holds, and its control breaks it", async () => {
  const { verdict, reasons, promise, controls: [control], ...seen } = await run(
    HIDDEN,
  );
  assert.deepEqual({ verdict, reasons }, { verdict: "held", reasons: [] });
  assert.deepEqual(
    seen.events,
    ["promise", "one failing", "no retries", "one failing"],
  );
  assert.deepEqual(seen.timersLateMsMax, [60, 60]);
  const { history } = promise;
  assert.equal(history.calls.length, 100);
  assert.ok(history.calls.some(({ attempts }) => attempts === 2));
  assert.ok(history.calls.every(({ server }) => /^server-[12]$/.test(server)));
  assert.ok(history.samples.length >= 3);
  assert.deepEqual(
    history.actions.map(({ server, kind }) => ({ server, kind })),
    [{ server: "server-2", kind: "fault" }],
  );
  const lost = control?.history.calls.filter(({ status }) => status !== "OK");
  assert.ok(lost !== undefined && lost.length > 0);
  assert.ok(lost.every((call) => call.status === "UNAVAILABLE"));
  assert.ok(lost.every((call) => call.isAnswered && call.attempts === 1));
});

Deno.test("calls that are meant to fail are lost in the control only", async () => {
  const { verdict, reasons, promise, controls: [control], ...seen } = await run(
    {
      ...HIDDEN,
      setup: { servers: 2, changes: [noRetries], timersLateMsMax: 77 },
      isMeantToFail: unavailableIn({ fromMs: 100 }),
      control: { about: "nothing is meant to fail", breaks: ["lost"] },
    },
  );
  assert.deepEqual({ verdict, reasons }, { verdict: "held", reasons: [] });
  assert.deepEqual(seen.timersLateMsMax, [77, 77]);
  const meant = outcomesOf(promise.history.calls);
  assert.ok(meant.failedAsMeant > 5 && meant.lost === 0, String(meant.lost));
  const again = outcomesOf(control?.history.calls ?? []);
  assert.ok(again.failedAsMeant === 0 && again.lost > 5, String(again.lost));
});

Deno.test("an experiment whose control breaks nothing is broken", async () => {
  const { verdict, reasons } = await run({
    ...HIDDEN,
    events: [],
    control: { about: "nothing at all", breaks: ["lost"] },
  });
  assert.equal(verdict, "broken");
  assert.match(reasons.join(), /control \(nothing at all\) did not break/);
});

Deno.test("calls that nobody told the ledger of break it", async () => {
  const callAside: Experiment["events"] = [{
    atMs: 100,
    label: "calls aside",
    do: async ({ stack }) => {
      const client = connect(Greeter, stack.endpoint);
      await callUnary(client, "SayHello", {}, { deadlineMs: 2000 });
      client.close();
    },
  }];
  const { verdict, reasons } = await run({ ...HIDDEN, events: callAside });
  assert.equal(verdict, "broken");
  assert.match(reasons[0] ?? "", /ledgers.*: 101 calls that Envoy received/);
});

Deno.test("an event that fails, and a program that ends, are told", async () => {
  const events: Experiment["events"] = [{
    atMs: 100,
    label: "misstep",
    do: async ({ stack }) => {
      await stack.stop("server-9", "SIGKILL");
    },
  }];
  const { verdict, reasons } = await run({ ...HIDDEN, events });
  assert.equal(verdict, "broken");
  assert.match(reasons[0] ?? "", /"misstep": Cannot find server "server-9"/);
});

Deno.test("an interrupted experiment has what was measured until then", async () => {
  const stop = new AbortController();
  const { verdict, reasons, promise, controls } = await run({
    ...HIDDEN,
    load: { ratePerS: 100, durationMs: 60_000 },
    events: [{
      atMs: 1000,
      label: "Ctrl-C",
      do: ({ measure }) => {
        measure("one", 1);
        stop.abort("SIGINT");
        return Promise.resolve();
      },
    }],
    claims: [
      ...HIDDEN.claims,
      {
        id: "one",
        text: "one is 1",
        judge: measuredBetween("one", { min: 1 }),
      },
    ],
  }, stop.signal);
  assert.equal(verdict, "unknown");
  assert.deepEqual(controls, []);
  assert.ok(reasons.includes("the run was interrupted"), reasons.join("\n"));
  assert.ok(promise.history.isInterrupted);
  const { length } = promise.history.calls;
  assert.ok(length >= 90 && length <= 130, `${length} calls`);
  assert.deepEqual(
    promise.findings.map(({ verdict }) => verdict),
    ["held", "held"],
  );
});
