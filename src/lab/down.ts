/** The command `down`: stops what Compose has started or a killed `up` left. */
import { helpText, parseFlags } from "../core/flags.ts";
import { print } from "../io/terminal.ts";
import { ComposeProject, demoProject } from "../stack/compose_project.ts";
import { docker, PROJECT_LABEL } from "../stack/docker.ts";
import { processWords, timeOf } from "../stack/leftovers.ts";
import { endLeftovers, findRuns } from "../stack/run_file.ts";

const ABOUT = `Stops and removes the demo's containers and their network, \
whoever has started them:
\`deno task up --docker\` in another terminal, or \`docker compose up -d\`. Ends what an
\`up\` without Docker that was killed has left, too.`;

/**
 * Runs the command.
 *
 * @param argv The arguments behind "down".
 * @returns The exit code.
 * @throws {Failure} When Docker is not there, unless something else was ended,
 * or does not do it.
 */
export async function down(argv: readonly string[]): Promise<number> {
  const { help } = parseFlags({}, argv);
  if (help) {
    print(helpText("down", ABOUT, {}));
    return 0;
  }
  const isEnded = await endNative();
  let name: string;
  try {
    name = await demoProject();
  } catch (error) {
    if (isEnded) return 0; // There was something to stop, without Docker.
    throw error;
  }
  const filter = ["--quiet", "--filter", `label=${PROJECT_LABEL}=${name}`];
  const containers = lines(await docker(["ps", "--all", ...filter]));
  const networks = lines(await docker(["network", "ls", ...filter]));
  if (containers.length + networks.length === 0) {
    if (!isEnded) print("Nothing to stop: the demo has no container here");
    return 0;
  }
  await new ComposeProject({ name }).down();
  print(`Stopped and removed ${containers.length} containers`);
  return 0;
}

/** Whether there was something to end. */
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
