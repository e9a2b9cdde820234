/**
 * Certificates that live for seconds are renewed again and again, as Kubernetes
 * renews the files of a Secret: in a new folder, to which a link is moved.
 *
 * What is measured: whether callers that are connected, and new ones that come
 * all the time, lose a call; and how soon Envoy shows each new certificate. It
 * gets them as secrets in files (SDS) with `watched_directory`. In the control
 * the same files are named in the listener, which reads them once, so that it
 * goes on showing the first certificate after it has expired.
 */
import {
  type Experiment,
  heldIf,
  measured,
  measuredBetween,
  type RunContext,
} from "../src/experiment/authors.ts";
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";
import { servedSerial } from "../src/io/tls.ts";
import { tlsOf } from "../src/stack/stack.ts";
import { noCallIsLost } from "./_claims.ts";

/** Certificates are renewed after a third of it, so every 3 s. */
const LIFETIME_MS = 9000;

const DURATION_MS = 16_000;

/** One fewer than there is time for, for a slow start. */
const RENEWALS_MIN = 4;

/** Two looks at what Envoy shows, and time for Envoy to read two files. */
const SERVED_MS_MAX = 1000;

const LOOK_INTERVAL_MS = 100;

/** Each is a handshake, which takes this machine's processor, too. */
const NEWCOMERS_PER_S = 10;

/** A handshake on a busy machine takes its time. */
const DEADLINE_MS = 4000;

/** Callers with a connection of their own, each with one call. */
async function newcomers(run: RunContext): Promise<void> {
  const { endpoint } = run.stack;
  let lost = 0;
  const { made } = await runOpenLoop({
    ratePerS: NEWCOMERS_PER_S,
    count: NEWCOMERS_PER_S * DURATION_MS / 1000,
    signal: run.signal,
    makeCall: async () => {
      const client = connect(Greeter, endpoint, { tls: tlsOf(run.stack) });
      const { status } = await callToEnd(client, "SayHello", {}, {
        deadlineMs: DEADLINE_MS,
      });
      client.close();
      if (status !== "OK") lost += 1;
    },
  });
  run.addCalls(made, lost);
  run.measure("new connections", made);
  run.measure("calls on new connections lost", lost);
}

/** Looks which certificate Envoy shows, and how soon it is the newest. */
async function look(run: RunContext): Promise<void> {
  const { certificates, endpoint } = run.stack;
  const tls = tlsOf(run.stack);
  if (certificates === undefined || tls === undefined) {
    throw new RangeError("The experiment needs a stack with TLS");
  }
  let newest = certificates.serial;
  let renewedAtMs: number | undefined;
  const isDue = () => run.elapsedMs() < DURATION_MS && !run.signal.aborted;
  while (isDue()) {
    await run.wait(LOOK_INTERVAL_MS);
    if (certificates.serial !== newest) {
      newest = certificates.serial;
      renewedAtMs ??= run.elapsedMs();
      run.mark("a new certificate");
    }
    if (renewedAtMs === undefined) continue;
    // Without a handshake none is shown.
    const shown = await servedSerial(endpoint, tls).catch(() => "none");
    if (shown !== newest && isDue()) continue;
    run.measure("shown after", run.elapsedMs() - renewedAtMs);
    renewedAtMs = undefined;
  }
}

export const certificateRotation: Experiment = {
  name: "certificate-rotation",
  question: "Is a call lost when Envoy's certificates are renewed?",
  setup: { servers: 3, tls: { lifetimeMs: LIFETIME_MS } },
  load: { ratePerS: 200, durationMs: DURATION_MS },
  events: [
    { atMs: 0, label: "new callers all the time", do: newcomers },
    { atMs: 0, label: "the certificate that Envoy shows", do: look },
  ],
  claims: [
    noCallIsLost,
    {
      id: "newcomers",
      text: "no call on a new connection is lost",
      judge: measuredBetween("calls on new connections lost", { max: 0 }),
    },
    {
      id: "shown",
      text:
        `each of ${RENEWALS_MIN} or more new certificates is shown within ` +
        `${SERVED_MS_MAX} ms`,
      judge: (history) => {
        const times = measured(history, "shown after");
        return heldIf(
          times.length >= RENEWALS_MIN &&
            times.every((ms) => ms <= SERVED_MS_MAX),
          `after ${times.map((ms) => ms.toFixed(0)).join(", ")} ms`,
        );
      },
    },
  ],
  control: {
    about: "the certificates are in the listener, not in SDS",
    setup: { tls: { lifetimeMs: LIFETIME_MS, certificates: "fixed" } },
    breaks: ["newcomers", "shown"],
  },
};
