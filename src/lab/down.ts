/**
 * The command `down`: stops what Compose started or a killed `up` left behind.
 */
import { helpText, parseFlags } from "../core/flags.ts";
import { kitFolder } from "../io/build.ts";
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
 * @param argv The arguments after "down".
 * @returns The exit code.
 * @throws {Failure} When Docker is missing, unless something else was stopped,
 * or when it fails.
 */
export async function down(argv: readonly string[]): Promise<number> {
  const { help } = parseFlags({}, argv);
  if (help) {
    print(helpText("down", ABOUT, {}));
    return 0;
  }
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
