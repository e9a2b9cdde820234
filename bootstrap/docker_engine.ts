/**
 * Prepares Docker on a machine that has none, and takes it down again:
 * `docker_engine.ts up|down`.
 */
import { Failure } from "../src/core/errors.ts";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { runToEnd } from "../src/io/processes.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { composeVersion, installCompose } from "./docker/compose_plugin.ts";
import {
  engineVersion,
  noteStarted,
  readStarted,
  startDaemon,
  stopDaemon,
} from "./docker/daemon.ts";
import {
  canInstallPackages,
  installPackages,
  isThere,
  updatePackageLists,
} from "./docker/machine.ts";

/**
 * Makes `docker` and `docker compose` work: uses what exists or, as root on
 * Debian, installs and starts an engine and builds Compose.
 *
 * @throws {Failure} `environment`, saying what to do.
 */
async function dockerUp(): Promise<void> {
  const found = await isThere("docker") ? await engineVersion() : undefined;
  if (found === undefined) await startEngine();
  if (await composeVersion() === undefined) {
    if (found !== undefined && await canInstallPackages()) {
      await updatePackageLists();
    }
    const { how, link } = await installCompose();
    if (link !== undefined) await noteStarted({ link });
    print(`Docker Compose: ${how}`);
  }
  const [engine, compose] = [await engineVersion(), await composeVersion()];
  if (engine === undefined || compose === undefined) {
    throw new Failure(
      "environment",
      "Docker was installed but does not answer; try `docker info`",
    );
  }
  print(`Docker engine ${engine}, Compose ${compose}`);
}

async function startEngine(): Promise<void> {
  const host = Deno.env.get("DOCKER_HOST");
  if (host) {
    throw new Failure(
      "environment",
      `No Docker engine answers at DOCKER_HOST, "${host}"; start it, or unset the variable`,
    );
  }
  if (!await canInstallPackages()) {
    throw new Failure(
      "environment",
      "No Docker engine answers, and only root on Debian can have one installed here; start Docker, or run this as root",
    );
  }
  const hasFirewall = await isThere("iptables");
  if (!await isThere("dockerd") || !hasFirewall) {
    print("No Docker engine here; installing docker.io and iptables");
    await updatePackageLists();
    await installPackages(["docker.io", "iptables"]);
    // Where Debian starts services itself, the engine is already running.
    if (await engineVersion() !== undefined) return;
  }
  const pid = await startDaemon();
  print(`Started a Docker engine, process ${pid}`);
}

/** Removing gigabytes of small files takes some seconds. */
const PRUNE_LIMIT_MS = 60_000;

/** Takes down what `dockerUp()` started, and nothing else. */
async function dockerDown(): Promise<void> {
  const started = await readStarted();
  if (started === undefined) {
    print("Nothing to take down: no Docker engine was started here");
    return;
  }
  // Earlier builds' leftovers would eventually fill the disk. An engine that we
  // did not start is not ours to clean.
  if (started.pid !== undefined) await pruneBuilds();
  await stopDaemon();
  print(
    started.pid === undefined
      ? "Unlinked Docker Compose; the engine is not ours and stays"
      : `Stopped the Docker engine, process ${started.pid}, and its containers`,
  );
}

/** An engine that does not answer is stopped anyway. */
async function pruneBuilds(): Promise<void> {
  for (
    const words of [
      ["image", "prune", "--force"],
      ["builder", "prune", "--force", "--keep-storage", "1GB"],
    ]
  ) {
    await runToEnd("docker", words, { timeoutMs: PRUNE_LIMIT_MS })
      .catch(() => {});
  }
}

const ABOUT = `Prepares Docker on a machine that has none.
  up      use the engine and Compose that are here; else, as root on Debian,
          install and start them
  down    take down what "up" started, and nothing else`;

async function run(): Promise<number> {
  const { positionals, help } = parseFlags({}, Deno.args, {
    positionalsMax: 1,
  });
  if (help) {
    print(helpText("docker_engine.ts up | down", ABOUT, {}));
    return 0;
  }
  const [command = ""] = positionals;
  if (command === "up") await dockerUp();
  else if (command === "down") await dockerDown();
  else throw new Failure("usage", `Name up or down, not "${command}"`);
  return 0;
}

if (import.meta.main) await runProgram("docker_engine", run);
