/** Finds Docker Compose v2, or builds it. */
import config from "../../deno.json" with { type: "json" };
import { Failure, messageOf } from "../../src/core/errors.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { print } from "../../src/io/terminal.ts";
import { ask, clientFailed, run } from "../../src/io/tools/fetch.ts";
import { findGo } from "../../src/io/tools/go.ts";
import { GO } from "../../src/io/tools/table.ts";
import {
  canInstallPackages,
  DOCKER_FOLDER,
  installPackages,
  PROJECT,
  runWell,
} from "./machine.ts";

const VERSION = config.toolVersions.compose;

/** Names under which Debian and Ubuntu may package Compose v2. */
const PACKAGES = [
  "docker-compose-v2",
  "docker-compose-plugin",
  "docker-compose",
];

/** What is compiled, for failure messages. */
const COMPOSE = {
  title: "Docker Compose",
  version: VERSION,
  advice: "install Docker Compose v2 (https://docs.docker.com/compose/install)",
};

/** Fetching Compose's modules and compiling them takes about two minutes. */
const GO_LIMIT_MS = 900_000;

/**
 * The version of `docker compose`, or undefined when there is none.
 *
 * @throws {Failure} `environment` when there is no `docker` at all.
 */
export async function composeVersion(): Promise<string | undefined> {
  const { code, stdout } = await runToEnd("docker", [
    "compose",
    "version",
    "--short",
  ]);
  const [version] = /[0-9]+\.[0-9][^ \n]*/.exec(stdout) ?? [];
  return code === 0 ? version : undefined;
}

/**
 * The first package whose candidate version is Compose 2 or newer.
 *
 * @param policy The output of `apt-cache policy` for the packages.
 */
export function packageOfComposeV2(policy: string): string | undefined {
  const candidates = policy.matchAll(
    /^([a-z0-9-]+):\n(?: .*\n)*? +Candidate: (?:[0-9]+:)?([0-9]+)\./gm,
  );
  for (const [, name, major] of candidates) {
    if (Number(major) >= 2) return name;
  }
  return undefined;
}

/**
 * Gives `docker` its `compose` command: from Debian's packages, or compiled
 * from its Go module into the project's folder.
 *
 * @returns What was done, in words; `link` is a file outside the project's
 * folder, to be removed later.
 * @throws {Failure} `environment`.
 */
export async function installCompose(): Promise<
  { readonly how: string; readonly link?: string }
> {
  if (await canInstallPackages()) {
    const policy = await runWell("apt-cache", ["policy", ...PACKAGES]);
    const name = packageOfComposeV2(policy);
    if (name !== undefined) {
      await installPackages([name]);
      return { how: `installed from the package ${name}` };
    }
  }
  const path = `${DOCKER_FOLDER}/docker-compose-${VERSION}`;
  const isMade = await isCompose(path);
  if (!isMade) {
    print(`Compiling Docker Compose ${VERSION}; it takes about two minutes`);
    await build(path);
  }
  const link = await linkPlugin(path);
  return { how: isMade ? "compiled earlier" : "compiled with Go", link };
}

/**
 * Whether a file is the pinned Docker Compose and runs here.
 *
 * @param path An absolute path.
 */
export async function isCompose(path: string): Promise<boolean> {
  try {
    const { stdout } = await runToEnd(path, ["version", "--short"]);
    return stdout.trim() === VERSION;
  } catch {
    return false;
  }
}

async function build(path: string): Promise<void> {
  const workspace = {
    folder: `${DOCKER_FOLDER}/compose-build`,
    toolsFolder: `${PROJECT}.tools`,
    env: (name: string) => Deno.env.get(name),
    onProgress: print,
    signal: undefined,
  };
  const module = "github.com/docker/compose/v2";
  // Go does not read a go.mod directly in its temporary folder.
  const cwd = `${workspace.folder}/module`;
  // Leftovers of a killed process would be in the way.
  await Deno.remove(workspace.folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(cwd, { recursive: true });
  try {
    const go = await findGo(COMPOSE, workspace, GO);
    await ask(
      COMPOSE,
      workspace,
      "go",
      [go.path, "list", "-m", `${module}@v${VERSION}`],
      go.env,
    );
    // `go install` refuses Compose's go.mod for its exclude directives.
    const steps = [
      ["mod", "init", "compose-build"],
      ["get", `${module}/cmd@v${VERSION}`],
      [
        "build",
        "-trimpath",
        `-ldflags=-s -w -X ${module}/internal.Version=v${VERSION}`,
        `-o=${path}`,
        `${module}/cmd`,
      ],
    ];
    for (const step of steps) {
      const result = await run(workspace, go.path, step, {
        cwd,
        timeoutMs: GO_LIMIT_MS,
        env: go.env,
      });
      if (result.code !== 0) {
        throw clientFailed(COMPOSE, `go ${step[0]}`, result);
      }
    }
  } finally {
    await Deno.remove(workspace.folder, { recursive: true });
  }
}

/** Puts the plugin where the `docker` command looks for it. */
async function linkPlugin(path: string): Promise<string> {
  const home = Deno.env.get("HOME") ?? "/root";
  const config = Deno.env.get("DOCKER_CONFIG") ?? `${home}/.docker`;
  const link = `${config}/cli-plugins/docker-compose`;
  try {
    await Deno.mkdir(`${config}/cli-plugins`, { recursive: true });
    // A dangling link is an old one of ours; a file is not.
    const old = await Deno.lstat(link).catch(() => undefined);
    if (old?.isSymlink) await Deno.remove(link);
    await Deno.symlink(path, link);
  } catch (error) {
    throw new Failure(
      "environment",
      `Docker Compose cannot be linked as "${link}": ${messageOf(error)}`,
      { cause: error },
    );
  }
  return link;
}
