/** The client: calls at an even pace and says who answered. */
import { makeCall } from "./client/call.ts";
import { CLIENT_FLAGS } from "./client/config.ts";
import { Outages } from "./client/outages.ts";
import { Shortfall, shortfallLines } from "./client/shortfall.ts";
import { TlsTrouble } from "./client/tls_trouble.ts";
import { callLine, Ledger, rounded, summaryLines } from "./core/caller.ts";
import { EXIT_CODES } from "./core/errors.ts";
import { helpText, parseFlags } from "./core/flags.ts";
import { runOpenLoop } from "./io/open_loop.ts";
import { survivePeerErrors } from "./io/peer_errors.ts";
import { exitWithFailure, listenForStop, runProgram } from "./io/program.ts";
import { Greeter } from "./io/proto.ts";
import { connect } from "./io/rpc.ts";
import { paint, print } from "./io/terminal.ts";
import { readTlsFolder, requireTls, speaksTls, tlsProblem } from "./io/tls.ts";

const ABOUT = `Calls demo.v1.Greeter at an even pace and prints who \
answered. Ctrl-C ends it with
a table of shares, latencies and errors. It reconnects when servers or Envoy \
restart. Exit code: 0 if
a call succeeded, ${EXIT_CODES.failed} if none did, ${EXIT_CODES.usage} if \
the command line is wrong.`;

const SPEAKS_TLS = "The server speaks TLS: name a folder that has ca.crt, " +
  "tls.crt and tls.key with --tls";

/** What grpc-js says when a server closes a connection before any call. */
const WAS_CLOSED = /^No connection established\b(?!.*ECONNREFUSED)/;

async function run(): Promise<number> {
  const { values: config, help } = parseFlags(CLIENT_FLAGS, Deno.args, {
    env: (name) => Deno.env.get(name),
  });
  if (help) {
    print(helpText("client [flags]", ABOUT, CLIENT_FLAGS));
    return 0;
  }
  const { target, tlsFolder } = config;
  const tls = tlsFolder === "" ? undefined : () => readTlsFolder(tlsFolder);
  if (tls !== undefined) {
    requireTls();
    await tls(); // Files that cannot be used are said at once.
  }
  const stop = listenForStop();
  // The call concerned fails, and its error is printed.
  survivePeerErrors(() => {}, (error) => exitWithFailure("client", error));
  const timer = config.durationS === 0 ? undefined : setTimeout(
    () => stop.request("duration"),
    config.durationS * 1000,
  );
  const ledger = new Ledger();
  const now = () => performance.now();
  const outages = new Outages(now);
  const shortfall = new Shortfall(config.concurrency, now);
  const clients = Array.from(
    { length: config.connections },
    () => connect(Greeter, target, { leavesSilence: true, tls }),
  );
  const trouble = new TlsTrouble(async (details) => {
    if (tls !== undefined) return await tlsProblem(target, tls);
    // A server in plain text that works need not be asked.
    return WAS_CLOSED.test(details) && await speaksTls(target)
      ? SPEAKS_TLS
      : undefined;
  }, now);
  const say = (event: Record<string, unknown>, lines: readonly string[]) => {
    if (config.json) print(JSON.stringify(event));
    else lines.forEach((line) => print(line));
  };
  const sayNews = (news: string | undefined) => {
    if (news !== undefined) say({ type: "news", news }, [news]);
  };
  const { count } = config;
  const loop = await runOpenLoop({
    ratePerS: config.ratePerS,
    concurrency: config.concurrency,
    ...(count === 0 ? {} : { count }),
    signal: stop.signal,
    makeCall: async ({ index }) => {
      const client = clients[index % clients.length];
      if (client === undefined) return;
      const number = index + 1;
      const call = await trouble.explain(
        await makeCall(client, config, number, now, (server) => {
          say({ type: "open", call: number, server }, []);
        }),
      );
      ledger.add(call);
      say({ type: "call", ...call }, [
        call.kind === "reply" ? callLine(call) : paint("red", callLine(call)),
      ]);
      sayNews(outages.afterCall(call));
    },
    skip: (calls, cause) => sayNews(shortfall.add(calls, cause)),
  });
  const reachedPerS = rounded(loop.reachedPerS);
  clearTimeout(timer);
  for (const client of clients) client.close();
  const summary = ledger.summary();
  const { skipped } = shortfall;
  say({ type: "summary", ...summary, reachedPerS, skipped }, [
    ...summaryLines(summary),
    ...shortfallLines({ ...config, skipped, reachedPerS }),
  ]);
  return summary.succeeded > 0 ? 0 : EXIT_CODES.failed;
}

if (import.meta.main) await runProgram("client", run);
