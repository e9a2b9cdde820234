/**
 * The command `down`: stops what Compose started or a killed `up` left behind.
 */
import { type FlagRows, helpText, parseFlags } from "../core/flags.ts";
import { commandWords, kitFolder } from "../io/build.ts";
import { print } from "../io/terminal.ts";
import { findTool } from "../io/tools.ts";
import { ComposeProject, demoProject } from "../stack/compose_project.ts";
import { docker, PROJECT_LABEL } from "../stack/docker.ts";
import { chooseContext, Kubectl } from "../stack/kubectl.ts";
import {
  EXPERIMENT_NAMESPACE,
  removeNamespace,
  UP_NAMESPACE,
} from "../stack/namespace.ts";
import { processWords, timeOf } from "../stack/leftovers.ts";
import { endLeftovers, findRuns } from "../stack/run_file.ts";
import { CONTEXT_FLAG, requireOneStack } from "./cluster_flags.ts";

const FLAGS = {
  isKubernetes: {
    name: "kubernetes",
    help: "Remove the demo's namespaces from a cluster instead",
    switch: true,
  },
  context: CONTEXT_FLAG,
} as const satisfies FlagRows;

function about(): string {
  return `Stops and removes the demo's containers and their network, \
whoever has started them:
\`${commandWords()} up --docker\` in another terminal, or \`docker compose up -d\`. Ends what an
\`up\` without Docker that was killed has left, too.`;
}

/**
 * Runs the command.
 *
 * @param argv The arguments after "down".
 * @returns The exit code.
 * @throws {Failure} When Docker is missing, unless something else was stopped,
 * or when it fails.
 */
export async function down(argv: readonly string[]): Promise<number> {
  const { values, help } = parseFlags(FLAGS, argv);
  if (help) {
    print(helpText("down [flags]", about(), FLAGS));
    return 0;
  }
  requireOneStack({ ...values, isDocker: false, configFile: "" });
  if (values.isKubernetes) return await removeNamespaces(values.context);
  const isEnded = await endNative();
  if (kitFolder() !== undefined) {
    if (!isEnded) print("Nothing to stop: every `up` here has ended or runs");
    return 0;
  }
  let name: string;
  try {
    name = await demoProject();
  } catch (error) {
    if (isEnded) return 0; // Without Docker, too, there was something to stop.
    throw error;
  }
  const filter = ["--quiet", "--filter", `label=${PROJECT_LABEL}=${name}`];
  const containers = lines(await docker(["ps", "--all", ...filter]));
  const networks = lines(await docker(["network", "ls", ...filter]));
  if (containers.length + networks.length === 0) {
    if (!isEnded) print("Nothing to stop: the demo has no containers here");
    return 0;
  }
  await new ComposeProject({ name }).down();
  print(`Stopped and removed ${containers.length} containers`);
  return 0;
}

/** Removes what `up --kubernetes` and experiments have in a cluster. */
async function removeNamespaces(asked: string): Promise<number> {
  const { path } = await findTool("kubectl", { onProgress: print });
  const context = await chooseContext(path, asked);
  let removed = 0;
  for (const namespace of [UP_NAMESPACE, EXPERIMENT_NAMESPACE]) {
    const kubectl = new Kubectl(path, context, namespace);
    if (!await removeNamespace(kubectl)) continue;
    print(`Removed the namespace ${namespace} from context ${context}`);
    removed += 1;
  }
  if (removed > 0) return 0;
  print(`Nothing to remove: the demo has no namespace in context ${context}`);
  return 0;
}

/** Kills what killed runs left behind. @returns Whether there was any. */
async function endNative(): Promise<boolean> {
  const left = (await findRuns()).filter((run) => !run.isRunning);
  for (const run of left) {
    await endLeftovers(run);
    print(`Ended ${processWords(run)} of the \`up\` of ${timeOf(run)}`);
  }
  return left.length > 0;
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
