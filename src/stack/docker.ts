/** Checks for Docker and Compose, and runs their commands. */
import { Failure } from "../core/errors.ts";
import { commandWords } from "../io/build.ts";
import {
  lastLine,
  type RunOptions,
  type RunResult,
  runToEnd,
} from "../io/processes.ts";

/** The engine answers within tens of milliseconds. */
const ANSWER_LIMIT_MS = 20_000;

/** Longer than a server's drain wait and close deadline together. */
const STOP_LIMIT_S = 15;

/** `docker stop` itself needs a little longer. */
const STOP_LIMIT_MS = (STOP_LIMIT_S + 10) * 1000;

/** The way out for people without Docker. */
const WITHOUT_DOCKER =
  `or run \`${commandWords()} up\` without --docker, which needs no Docker`;

/** What may use a port, to follow "stop what uses it". */
export const DOWN_HINT =
  ` (\`${commandWords()} down\` stops the demo's containers)`;

/**
 * Runs a `docker` command that must succeed.
 *
 * @param options As for `runToEnd()`; a command may take 20 s by default.
 * @returns Its standard output.
 * @throws {Failure} `environment` when it fails.
 */
export async function docker(
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await runToEnd("docker", args, {
    timeoutMs: ANSWER_LIMIT_MS,
    ...options,
  });
  if (result.code !== 0) throw dockerFailure(args, result);
  return result.stdout;
}

/**
 * Checks that a Docker engine and Compose v2 answer.
 *
 * @throws {Failure} `environment`, saying which of them is missing.
 */
export async function requireDocker(): Promise<void> {
  const engine = await ask("docker", [
    "version",
    "--format",
    "{{.Server.Version}}",
  ]);
  if (engine === undefined) {
    throw new Failure(
      "environment",
      `Docker is not installed: "docker" is not on PATH; install it, ${WITHOUT_DOCKER}`,
    );
  }
  if (engine.code !== 0) {
    const reason = lastLine(engine).replace(/\.? Is the docker .*\?$/, "");
    throw new Failure(
      "environment",
      `Docker is not running: ${reason}; start it, ${WITHOUT_DOCKER}`,
    );
  }
  const compose = await ask("docker", ["compose", "version", "--short"]);
  if (compose?.code === 0 && !/^v?1\./.test(compose.stdout)) return;
  const old = await ask("docker-compose", ["version", "--short"]);
  const isOld = old?.code === 0 && /^v?1\./.test(old.stdout);
  throw new Failure(
    "environment",
    `${
      isOld
        ? `Docker Compose is version ${old.stdout.trim()} and must be 2 or newer`
        : "Docker has no Compose"
    }; install the plugin "docker compose" of version 2, ${WITHOUT_DOCKER}`,
  );
}

/** Runs a program to its end; undefined if there is no such program. */
async function ask(
  command: string,
  args: readonly string[],
): Promise<RunResult | undefined> {
  try {
    return await runToEnd(command, args, { timeoutMs: ANSWER_LIMIT_MS });
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : undefined;
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Matches Docker's messages about an unreachable registry. */
const UNREACHED =
  /(?:Head|Get) "https:\/\/([^/"]+)[^"]*": .*(?:dial tcp|no such host|timeout|refused|EOF|x509|tls:)/i;

/** Matches Docker's messages about a published port that is taken. */
const PORT_TAKEN =
  /(127\.0\.0\.1:\d+).*(?:port is already allocated|address already in use)/;

/** The commands used here, to name the one that failed. */
const COMMAND =
  /^(compose|config|down|exec|inspect|kill|network|pause|ps|start|stop|unpause|up)$/;

/** The failure for a `docker` command that failed. */
export function dockerFailure(
  args: readonly string[],
  result: RunResult,
): Failure {
  const text = `${result.stdout}\n${result.stderr}`;
  const [, registry] = UNREACHED.exec(text) ?? [];
  if (registry !== undefined) {
    return new Failure(
      "environment",
      `Cannot pull a base image: the registry ${registry} cannot be reached; ` +
        "load the images of Dockerfile and compose.yaml with `docker load`, " +
        'or build them (README, "With Docker")',
    );
  }
  const [, address] = PORT_TAKEN.exec(text) ?? [];
  if (address !== undefined) {
    return new Failure(
      "environment",
      `Cannot listen on ${address}: the port is taken; stop what uses it` +
        `${DOWN_HINT} or choose another`,
    );
  }
  const words = args.filter((word) => COMMAND.test(word)).slice(0, 2);
  return new Failure(
    "environment",
    `"docker ${words.join(" ")}" failed: ${lastLine(result)}`,
  );
}

/** The labels by which Compose identifies its containers. */
export const PROJECT_LABEL = "com.docker.compose.project";
export const SERVICE_LABEL = "com.docker.compose.service";
export const NUMBER_LABEL = "com.docker.compose.container-number";

/** A container of a Compose project. */
export interface Container {
  readonly id: string;
  /** The number that Compose gave it, from 1. */
  readonly number: number;
  /** Its address on the project's network; empty when it is not running. */
  readonly address: string;
  readonly isRunning: boolean;
  /** Its last exit code; 0 while it runs. */
  readonly exitCode: number;
}

interface Inspected {
  readonly Id: string;
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly State: { readonly Running: boolean; readonly ExitCode: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** The containers of a project's service, by number. */
export async function containersOf(
  project: string,
  service: string,
): Promise<readonly Container[]> {
  const ids = await docker([
    ...["ps", "--all", "--quiet", "--no-trunc"],
    ...["--filter", `label=${PROJECT_LABEL}=${project}`],
    ...["--filter", `label=${SERVICE_LABEL}=${service}`],
  ]);
  const words = ids.split("\n").filter((id) => id !== "");
  if (words.length === 0) return [];
  const found = JSON.parse(await docker(["inspect", ...words])) as Inspected[];
  return found.map(toContainer).sort((a, b) => a.number - b.number);
}

function toContainer(found: Inspected): Container {
  const [network] = Object.values(found.NetworkSettings.Networks);
  return {
    id: found.Id,
    number: Number(found.Config.Labels[NUMBER_LABEL]),
    address: network?.IPAddress ?? "",
    isRunning: found.State.Running,
    exitCode: found.State.ExitCode,
  };
}

/** Stops a container and waits until it has ended. */
export async function endContainer(
  id: string,
  signal: "SIGTERM" | "SIGKILL",
): Promise<void> {
  const words = signal === "SIGKILL"
    ? ["kill"]
    : ["stop", "--time", String(STOP_LIMIT_S)];
  await docker([...words, id], { timeoutMs: STOP_LIMIT_MS });
}
