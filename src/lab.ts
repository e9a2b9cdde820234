/** The lab: everything that starts and drives a stack. */
import { CATALOGUE } from "../experiments/catalogue.ts";
import { largeReplies } from "../experiments/control/large_replies.ts";
import { plainServer } from "../experiments/control/plain_server.ts";
import { LESSONS } from "../workshop/lessons/catalogue.ts";
import { Failure } from "./core/errors.ts";
import { survivePeerErrors } from "./io/peer_errors.ts";
import { commandWords, kitFolder } from "./io/build.ts";
import { KIT_PARTS, requireKitFiles } from "./io/kit.ts";
import { exitWithFailure, runProgram } from "./io/program.ts";
import { print } from "./io/terminal.ts";
import { check } from "./lab/check.ts";
import { ctl } from "./lab/ctl.ts";
import { experimentCommand } from "./lab/experiment.ts";
import { doctor } from "./lab/doctor.ts";
import { down } from "./lab/down.ts";
import { lessonCommand } from "./lab/lesson.ts";
import { load } from "./lab/load.ts";
import { reports } from "./lab/reports.ts";
import { serve } from "./lab/serve.ts";
import { up } from "./lab/up.ts";

/** A command of the lab; it receives the arguments after its name. */
interface Command {
  readonly about: string;
  readonly run: (argv: readonly string[]) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  up: {
    about: "start the servers, Envoy and the client",
    run: (argv) => up(LESSONS, argv),
  },
  down: { about: "stop and remove what the demo has left", run: down },
  ctl: {
    about: "control a running up: kill a server, scale, show its status",
    run: ctl,
  },
  load: { about: "run a load test with k6", run: load },
  reports: {
    about: "list the runs in reports/, or remove old ones",
    run: reports,
  },
  doctor: {
    about: "find known pitfalls in an Envoy configuration",
    run: (argv) => doctor(CATALOGUE, argv),
  },
  serve: { about: "hand out a kit in the room's network", run: serve },
  check: { about: "look at a laptop before a workshop", run: check },
  experiment: {
    about: "measure what the settings promise",
    run: (argv) => experimentCommand(CATALOGUE, argv),
  },
  lesson: {
    about: "learn envoy.yaml, one change at a time",
    run: (argv) => lessonCommand(LESSONS, argv),
  },
};

/**
 * The programs that controls start in place of a server, by source path: the
 * binary contains them, and starts itself with such a name (see programs.ts).
 */
const SERVERS_INSTEAD: Readonly<Record<string, Command["run"]>> = {
  "experiments/control/large_replies.ts": largeReplies,
  "experiments/control/plain_server.ts": plainServer,
};

function usage(): string {
  const names = Object.entries(COMMANDS);
  const words = kitFolder() === undefined ? "lab" : commandWords();
  const width = Math.max(...names.map(([name]) => name.length));
  return [
    `Usage: ${words} COMMAND [flags]`,
    "",
    ...names.map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`),
    "",
    `${words} COMMAND --help lists a command's flags.`,
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
    const kit = kitFolder();
    // `check` says itself what is wrong with a kit. Executables are checked
    // when they are used.
    if (kit !== undefined && name !== "check") {
      await requireKitFiles(kit, (path) => !path.startsWith(KIT_PARTS));
    }
    return await run(argv);
  });
}
