/** The command `experiment`: lists and runs experiments. */
import { EXIT_CODES, Failure } from "../core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  parseFlags,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { tableLines } from "../core/table.ts";
import { commandWords, isFromSource, runtimeNote } from "../io/build.ts";
import { filePath } from "../io/files.ts";
import { listenForStop } from "../io/program.ts";
import { print } from "../io/terminal.ts";
import { killAllChildren } from "../io/child.ts";
import { machineFacts, versionFacts } from "../io/machine.ts";
import { REPORTS, requireReports } from "../io/run_folder.ts";
import { CONTEXT_FLAG, requireOneStack } from "./cluster_flags.ts";
import { compare, report } from "./report.ts";
import { writeReports } from "../report/files.ts";
import { experimentModel } from "../report/model.ts";
import { progressLine, resultLines, summaryLines } from "../report/terminal.ts";
import { conduct, type Result } from "../experiment/conduct.ts";
import { composeStacks } from "../experiment/compose_stacks.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { RunOptions } from "../experiment/run.ts";
import { kubernetesStacks } from "../experiment/kubernetes_stacks.ts";
import { nativeStacks } from "../experiment/stacks.ts";
import { type OwnConfig, readOwnConfig } from "./own_config.ts";

const FLAGS = {
  isShort: {
    name: "short",
    help: "Run only the short ones, each with its first control alone",
    switch: true,
  },
  isDocker: {
    name: "docker",
    help: "Run on Compose, and only those that make sense there",
    switch: true,
  },
  configFile: {
    name: "config",
    placeholder: "FILE",
    help: "Your own Envoy configuration, in place of envoy.yaml",
    default: "",
    parse: words(4096),
  },
  service: {
    name: "service",
    placeholder: "NAME",
    help:
      "Whose calls of that file are measured; its first service's otherwise",
    default: "",
    parse: words(1000),
  },
  isKubernetes: {
    name: "kubernetes",
    help: "Run on Kubernetes those that are for it",
    switch: true,
  },
  context: CONTEXT_FLAG,
  seed: {
    name: "seed",
    placeholder: "NUMBER",
    help: "Makes random faults, delays and messages repeatable",
    default: 1,
    parse: wholeNumber(0, 4_294_967_295),
  },
  outDir: {
    name: "out",
    placeholder: "DIR",
    help: "Folder within reports/ for the reports; - writes none",
    default: REPORTS,
    parse: (text: string) => text === "-" ? text : filePath(text),
  },
} as const satisfies FlagRows;

const ABOUT = `Measures what the settings promise, each with a control run in \
which the promise must break.
  experiment list          list all experiments
  experiment run NAME...   run the named ones
  experiment all           run all of them
  experiment report DIR    redraw the page of a run from its record
  experiment compare A B   compare two runs side by side
With --config they measure your own file, without controls: a call is followed through it by its
routes, and what this machine does not have is replaced, and listed.
Exit code 0: every claim held and every control broke; 1: one did not, or is
unknown; 2: the command line is wrong.`;

const USAGE =
  "experiment list | run NAME... | all | report DIR | compare A B [flags]";

/** Subcommands with flags of their own. */
const VERBS = new Map(Object.entries({ report, compare }));

/** More than anybody types. */
const WORDS_MAX = 100;

/**
 * Runs the command.
 *
 * @param catalogue All experiments, in order.
 * @param argv The arguments after "experiment".
 * @returns The exit code.
 * @throws {Failure} When the command line is wrong or a stack cannot start.
 */
export async function experimentCommand(
  catalogue: readonly Experiment[],
  argv: readonly string[],
): Promise<number> {
  const [verb = "", ...rest] = argv;
  const command = VERBS.get(verb);
  if (command !== undefined) return await command(rest);
  const { values, positionals, help } = parseFlags(FLAGS, argv, {
    positionalsMax: WORDS_MAX,
  });
  if (help) {
    print(helpText(USAGE, ABOUT, FLAGS));
    return 0;
  }
  const [action, ...names] = positionals;
  requireOneStack(values);
  if (values.isDocker && !isFromSource()) {
    throw new Failure(
      "environment",
      "--docker builds images and bundles from source; use " +
        "`./denow task experiment` in the project's folder, or leave it out",
    );
  }
  if (action === "list" && names.length === 0) {
    listLines(catalogue).forEach(print);
    return 0;
  }
  const chosen = choose(catalogue, action, names, values);
  return await runAll(chosen, values);
}

/** The experiments to run. @throws {Failure} `usage` when there are none. */
function choose(
  catalogue: readonly Experiment[],
  action: string | undefined,
  names: readonly string[],
  { isShort, isDocker, isKubernetes, configFile, service }: FlagValues<
    typeof FLAGS
  >,
): readonly Experiment[] {
  const known = catalogue.map(({ name }) => name).join(", ");
  if (action !== "run" && action !== "all") {
    throw new Failure(
      "usage",
      `experiment needs one of list, run NAME, all, report DIR, compare A B: "${
        action ?? ""
      }"`,
    );
  }
  if (action === "all" && names.length > 0) {
    throw new Failure(
      "usage",
      `experiment all takes no name: "${names[0]}"; for one, type ` +
        `\`${commandWords()} experiment run ${names[0]}\``,
    );
  }
  if (action === "run" && names.length === 0) {
    throw new Failure("usage", `experiment run needs a name: ${known}`);
  }
  const unknown = names.find((name) =>
    !catalogue.some((experiment) => experiment.name === name)
  );
  if (unknown !== undefined) {
    throw new Failure(
      "usage",
      `There is no experiment "${unknown}"; there are ${known}`,
    );
  }
  if (service !== "" && configFile === "") {
    throw new Failure(
      "usage",
      `--service "${service}" needs a file that has it; name one with --config`,
    );
  }
  const chosen = catalogue.filter((experiment) =>
    (action === "all" || names.includes(experiment.name)) &&
    (!isShort || experiment.isShort) &&
    (!isDocker || experiment.isForDocker) &&
    isKubernetes === (experiment.isForKubernetes ?? false)
  );
  if (chosen.length === 0) {
    const which = isDocker
      ? "for Compose; leave out --docker"
      : isKubernetes
      ? `for Kubernetes; \`${commandWords()} experiment list\` marks those that are`
      : isShort
      ? "a short one; leave out --short"
      : "for this machine; use --kubernetes";
    throw new Failure("usage", `None of these experiments is ${which}`);
  }
  return isShort
    ? chosen.map((experiment) => ({ ...experiment, furtherControls: [] }))
    : chosen;
}

function listLines(catalogue: readonly Experiment[]): readonly string[] {
  return tableLines(
    ["name", "set", "question"],
    catalogue.map(({ name, isShort, isForKubernetes, question }) => [
      name,
      isShort ? "short" : isForKubernetes ? "kubernetes" : "",
      question,
    ]),
  );
}

async function runAll(
  chosen: readonly Experiment[],
  flags: FlagValues<typeof FLAGS>,
): Promise<number> {
  const note = runtimeNote();
  if (note !== undefined) print(note);
  if (flags.outDir !== "-") await requireReports(flags.outDir);
  const stop = listenForStop(killAllChildren);
  const own = flags.configFile === ""
    ? undefined
    : await readOwnConfig(flags.configFile, flags);
  if (own !== undefined) replacedLines(own).forEach(print);
  const stacks = flags.isDocker
    ? composeStacks()
    : flags.isKubernetes
    ? await kubernetesStacks(flags.context, print, stop.signal)
    : await nativeStacks(print, stop.signal);
  const results: Result[] = [];
  for (const experiment of chosen) {
    if (stop.signal.aborted) break;
    const result = await runOne(experiment, {
      stacks,
      seed: flags.seed,
      signal: stop.signal,
      ...(own === undefined ? {} : { base: own }),
    });
    if (result === undefined) {
      if (own === undefined) break;
      continue;
    }
    results.push(result);
    resultLines(experimentModel(result)).forEach(print);
  }
  if (results.length === 0) {
    throw stop.signal.aborted
      ? new Failure("interrupted", "interrupted before anything was measured")
      : new Failure("environment", "Nothing was measured, as said above");
  }
  summaryLines(results.map(experimentModel)).forEach(print);
  const notRun = chosen.length - results.length;
  if (stop.signal.aborted) print(`interrupted: ${notRun} not run`);
  else if (notRun > 0) print(`${notRun} not run, as said above`);
  if (flags.outDir !== "-") {
    const page = await writeReports(flags.outDir, results, {
      seed: flags.seed,
      stack: stacks.name,
      command: `${commandWords()} experiment run ${
        chosen.map(({ name }) => name).join(" ")
      } --seed ${flags.seed}${
        flags.isDocker ? " --docker" : flags.isKubernetes ? " --kubernetes" : ""
      }${
        own === undefined
          ? ""
          : ` --config ${own.name}${
            flags.service === "" ? "" : ` --service ${flags.service}`
          }`
      }`,
      machine: machineFacts(),
      versions: versionFacts(),
      writtenAt: new Date().toISOString(),
      isInterrupted: stop.signal.aborted,
      ...(own === undefined ? {} : { replaced: own.replaced }),
    });
    print(`report: ${page}`);
  }
  const isAllHeld = results.length === chosen.length &&
    results.every(({ verdict }) => verdict === "held");
  return isAllHeld ? 0 : EXIT_CODES.failed;
}

/** What a reader of the verdicts must know of the file. */
function replacedLines({ name, replaced }: OwnConfig): readonly string[] {
  return replaced.length === 0
    ? [`${name} has the names of envoy.yaml and is used as it is`]
    : [
      `${name}, with what this machine does not have replaced:`,
      ...replaced.map((line) => `  ${line}`),
    ];
}

/**
 * Undefined if it was interrupted before its load started, or if somebody's
 * own file does not allow it, which is said.
 */
async function runOne(
  experiment: Experiment,
  options: Pick<RunOptions, "stacks" | "seed" | "signal" | "base">,
): Promise<Result | undefined> {
  print("");
  print(`${experiment.name}: ${experiment.question}`);
  try {
    return await conduct(experiment, {
      ...options,
      onRun: (control) =>
        print(control === undefined ? "  run" : `  control: ${control.about}`),
      onProgress: (progress) => print(progressLine(progress)),
    });
  } catch (error) {
    if (options.signal.aborted) return undefined;
    if (options.base === undefined || !(error instanceof Failure)) throw error;
    print(`  not run: ${error.message}`);
    return undefined;
  }
}
