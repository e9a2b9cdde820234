/** The lab: everything that starts and drives a stack. */
import { CATALOGUE } from "../experiments/catalogue.ts";
import { plainServer } from "../experiments/control/plain_server.ts";
import { Failure } from "./core/errors.ts";
import { survivePeerErrors } from "./io/peer_errors.ts";
import { exitWithFailure, runProgram } from "./io/program.ts";
import { print } from "./io/terminal.ts";
import { ctl } from "./lab/ctl.ts";
import { experimentCommand } from "./lab/experiment.ts";
import { doctor } from "./lab/doctor.ts";
import { down } from "./lab/down.ts";
import { load } from "./lab/load.ts";
import { reports } from "./lab/reports.ts";
import { up } from "./lab/up.ts";

/** A command of the lab; it receives the arguments after its name. */
interface Command {
  readonly about: string;
  readonly run: (argv: readonly string[]) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  up: { about: "start the servers, Envoy and the client", run: up },
  down: { about: "stop and remove what the demo has left", run: down },
  ctl: {
    about: "control a running up: kill a server, scale, show its status",
    run: ctl,
  },
  doctor: {
    about: "find known pitfalls in an Envoy configuration",
    run: doctor,
  },
  load: { about: "run a load test with k6", run: load },
  reports: {
    about: "list the runs in reports/, or remove old ones",
    run: reports,
  },
  experiment: {
    about: "measure what the settings promise",
    run: (argv) => experimentCommand(CATALOGUE, argv),
  },
};

/**
 * The programs that controls start in place of a server, by source path: the
 * binary contains them, and starts itself with such a name (see programs.ts).
 */
const SERVERS_INSTEAD: Readonly<Record<string, Command["run"]>> = {
  "experiments/control/plain_server.ts": plainServer,
};

function usage(): string {
  const names = Object.entries(COMMANDS);
  const width = Math.max(...names.map(([name]) => name.length));
  return [
    "Usage: lab COMMAND [flags]",
    "",
    ...names.map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`),
    "",
    "lab COMMAND --help lists a command's flags.",
  ].join("\n");
}

if (import.meta.main) {
  const [name = "--help", ...argv] = Deno.args;
  // The caller sees the call's status, so nothing is printed here.
  survivePeerErrors(() => {}, (error) => exitWithFailure("lab", error));
  // Users typed the verb, so failures are prefixed with that, not "lab".
  await runProgram(Object.hasOwn(COMMANDS, name) ? name : "lab", async () => {
    if (name === "--help" || name === "-h") {
      print(usage());
      return 0;
    }
    const run = Object.hasOwn(COMMANDS, name)
      ? COMMANDS[name]?.run
      : Object.hasOwn(SERVERS_INSTEAD, name)
      ? SERVERS_INSTEAD[name]
      : undefined;
    if (run === undefined) {
      throw new Failure(
        "usage",
        `"${name}" is not a command; the commands are ${
          Object.keys(COMMANDS).join(", ")
        }`,
      );
    }
    return await run(argv);
  });
}
