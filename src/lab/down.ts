/** The command `down`: stops and removes what Compose has started. */
import { helpText, parseFlags } from "../core/flags.ts";
import { print } from "../io/terminal.ts";
import { COMPOSE_PROJECT, ComposeProject } from "./compose_project.ts";
import { docker, requireDocker } from "./docker.ts";

const ABOUT = `Stops and removes the demo's containers and their network, \
whoever has started them:
\`deno task up --docker\` in another terminal, or \`docker compose up -d\`.`;

/**
 * Runs the command.
 *
 * @param argv The arguments behind "down".
 * @returns The exit code.
 * @throws {Failure} When Docker is not there, or does not do it.
 */
export async function down(argv: readonly string[]): Promise<number> {
  const { help } = parseFlags({}, argv);
  if (help) {
    print(helpText("down", ABOUT, {}));
    return 0;
  }
  await requireDocker();
  const label = `label=com.docker.compose.project=${COMPOSE_PROJECT}`;
  const filter = ["--quiet", "--filter", label];
  const containers = lines(await docker(["ps", "--all", ...filter]));
  const networks = lines(await docker(["network", "ls", ...filter]));
  if (containers.length + networks.length === 0) {
    print("Nothing to stop: the demo has no container here");
    return 0;
  }
  await new ComposeProject({ name: COMPOSE_PROJECT }).down();
  print(`Stopped and removed ${containers.length} containers`);
  return 0;
}

function lines(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "");
}
