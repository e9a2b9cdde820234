/** The server: one gRPC server, until a signal stops it. */
import { EXIT_CODES, RESTART_EXIT_CODE } from "./core/errors.ts";
import { helpText, parseFlags } from "./core/flags.ts";
import { survivePeerErrors } from "./io/peer_errors.ts";
import {
  exitWithFailure,
  listenForStop,
  runProgram,
  whenAborted,
} from "./io/program.ts";
import { print } from "./io/terminal.ts";
import { ASK_FLAGS, askCounters, askHealth } from "./server/ask.ts";
import { SERVER_FLAGS } from "./server/config.ts";
import { FAULT_FLAGS, sendFault } from "./server/fault_command.ts";
import { nameOfServer } from "./server/name.ts";
import { startServer } from "./server/server.ts";

const ABOUT = `Serves demo.v1.Greeter with health and reflection until SIGTERM \
or SIGINT,
then drains and exits with 0. A second signal ends it at once, with 130. When
its memory nears the limit, it drains and exits with ${RESTART_EXIT_CODE}, to be restarted.
Subcommands:
  health    print a server's health; exit 0 if it is SERVING, else 1
  counters  print what a server has counted, as JSON
  fault     inject a fault for a while; the server needs --allow-faults`;

/** Why a server that must be restarted stops. */
const FULL = "memory";

const env = (name: string): string | undefined => Deno.env.get(name);

async function serve(argv: readonly string[]): Promise<number> {
  const { values, help } = parseFlags(SERVER_FLAGS, argv, { env });
  if (help) {
    const usage = "server [health | counters | fault] [flags]";
    print(helpText(usage, ABOUT, SERVER_FLAGS));
    return 0;
  }
  const stop = listenForStop();
  const serverName = await nameOfServer(values);
  const log = (line: string) => print(`${serverName}: ${line}`);
  const server = await startServer({ ...values, serverName }, log);
  const end = await Promise.race([
    whenAborted(stop.signal),
    server.full.then(() => FULL),
  ]);
  if (end !== FULL) log(`stopping on ${end}`);
  await server.close();
  log("stopped");
  return end === FULL ? RESTART_EXIT_CODE : 0;
}

async function ask(
  command: "health" | "counters",
  argv: readonly string[],
): Promise<number> {
  const { values, help } = parseFlags(ASK_FLAGS, argv, { env });
  if (help) {
    print(helpText(`server ${command} [flags]`, ABOUT, ASK_FLAGS));
    return 0;
  }
  // A broken connection is retried, so it is not worth a line.
  survivePeerErrors(() => {}, (error) => exitWithFailure("server", error));
  if (command === "counters") {
    print(JSON.stringify(await askCounters(values)));
    return 0;
  }
  const status = await askHealth(values);
  print(status);
  return status === "SERVING" ? 0 : EXIT_CODES.failed;
}

async function fault(argv: readonly string[]): Promise<number> {
  const { values, help } = parseFlags(FAULT_FLAGS, argv, { env });
  if (help) {
    print(helpText("server fault [flags]", ABOUT, FAULT_FLAGS));
    return 0;
  }
  survivePeerErrors(() => {}, (error) => exitWithFailure("server", error));
  await sendFault(values);
  return 0;
}

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  await runProgram("server", () => {
    if (first === "health" || first === "counters") return ask(first, rest);
    if (first === "fault") return fault(rest);
    return serve(Deno.args);
  });
}
