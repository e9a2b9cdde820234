/**
 * Prepares a Kubernetes cluster on a machine that has none, and takes it down
 * again: `kubernetes.ts up|load|down|status`.
 */
import config from "../deno.json" with { type: "json" };
import { EXIT_CODES, Failure } from "../src/core/errors.ts";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import {
  canInstallPackages,
  installPackages,
  isThere,
  runWell,
  updatePackageLists,
} from "./docker/machine.ts";
import { missingImages } from "./kubernetes/images.ts";
import {
  DATA_FOLDER,
  imagesOfNodes,
  importImages,
  isNodeReady,
  KUBECONFIG,
  reachesCluster,
  startNode,
} from "./kubernetes/node.ts";
import { buildPrograms } from "./kubernetes/programs.ts";
import { readStarted, writeStarted } from "./kubernetes/state.ts";
import { machineBefore, removeTraces } from "./kubernetes/traces.ts";

/** What the node needs from Debian, by a program that shows it is there. */
const PACKAGES = {
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
  ipset: "ipset",
  openssl: "openssl",
  "/usr/lib/cni/ptp": "containernetworking-plugins",
} as const;

/**
 * Makes a cluster reachable: uses the one that kubectl reaches or, as root on
 * Debian, builds and starts one.
 *
 * @param say Receives each step, in a sentence.
 * @throws {Failure} `environment`, saying what to do; then nothing is left.
 */
export async function kubernetesUp(
  say: (line: string) => void = print,
): Promise<void> {
  if (await readStarted() !== undefined) {
    if (await isNodeReady()) return say(`It runs already; ${USE}`);
    say("What an earlier cluster left is removed first");
    await kubernetesDown(say);
  } else if (await reachesCluster()) {
    return say("kubectl reaches a cluster; it is used, and nothing is started");
  }
  if (!await canInstallPackages()) {
    throw new Failure(
      "environment",
      "kubectl reaches no cluster, and only root on Debian can have one started here; name one with KUBECONFIG, or run this as root",
    );
  }
  await installMissing(say);
  await buildPrograms(say);
  await Deno.mkdir(DATA_FOLDER, { recursive: true });
  await writeStarted(await machineBefore());
  try {
    await startNode(say);
  } catch (error) {
    await kubernetesDown(() => {});
    throw error;
  }
  say(`Kubernetes ${config.toolVersions.kubernetes} is up; ${USE}`);
}

const USE = `for kubectl: export KUBECONFIG=${KUBECONFIG}`;

async function installMissing(say: (line: string) => void): Promise<void> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(PACKAGES)) {
    const isFound = program.startsWith("/")
      ? await Deno.stat(program).then(() => true, () => false)
      // openssl has no "--version".
      : program === "openssl"
      ? await isThere("openssl", "version")
      : await isThere(program);
    if (!isFound) missing.push(name);
  }
  if (missing.length === 0) return;
  say(`Installing ${missing.join(", ")}`);
  await updatePackageLists();
  await installPackages(missing);
}

/** Takes down what `kubernetesUp()` started, and nothing else. */
export async function kubernetesDown(
  say: (line: string) => void = print,
): Promise<void> {
  const started = await readStarted();
  if (started === undefined) {
    return say("Nothing to take down: no cluster was started here");
  }
  await removeTraces(started);
  for (const file of [KUBECONFIG, `${DATA_FOLDER}/started.json`]) {
    await Deno.remove(file).catch(() => {});
  }
  say("Took the cluster down");
}

/**
 * Copies images from the Docker engine into the cluster. Into a cluster that
 * was not started here they must have been loaded already.
 *
 * @param names Their names and tags.
 * @throws {Failure} `environment` when one is not there, or no cluster.
 */
export async function loadImages(
  names: readonly string[],
  say: (line: string) => void = print,
): Promise<void> {
  if (await readStarted() === undefined) return await requireLoaded(names, say);
  const archive = `${DATA_FOLDER}/images.tar`;
  try {
    await runWell("docker", ["save", `--output=${archive}`, ...names]);
    await importImages(archive);
  } finally {
    await Deno.remove(archive).catch(() => {});
  }
}

/** Other clusters have their own ways to load images. */
async function requireLoaded(
  names: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  if (!await reachesCluster()) {
    throw new Failure(
      "environment",
      "No cluster answers to load images into; `kubernetes.ts up` starts one",
    );
  }
  const missing = missingImages(names, await imagesOfNodes());
  if (missing.length === 0) {
    return say("The cluster, which was not started here, has these images");
  }
  throw new Failure(
    "environment",
    `The cluster that kubectl reaches was not started here, and a node of it lacks ${
      missing.join(", ")
    }; load them in its own way, as \`kind load docker-image\` or \`k3s ctr images import\``,
  );
}

const ABOUT = `Prepares Kubernetes on a machine that has none.
  up      use the cluster that kubectl reaches; else, as root on Debian, build
          one from Go modules (10 minutes, once) and start it
  load    copy the named images from the Docker engine into it; of a cluster that
          was not started here, see that its nodes have them
  down    take down what "up" started, and nothing else
  status  print the status; exit code 0 if it is ready, else 1`;

async function run(): Promise<number> {
  const { positionals, help } = parseFlags({}, Deno.args, {
    positionalsMax: 100,
  });
  if (help) {
    const usage = "kubernetes.ts up | load IMAGE... | down | status";
    print(helpText(usage, ABOUT, {}));
    return 0;
  }
  const [command = "", ...images] = positionals;
  if (images.length > 0 !== (command === "load")) {
    throw new Failure(
      "usage",
      command === "load"
        ? "load needs the name of an image, as in: load grpc-demo-server:latest"
        : `${command} takes no "${images[0]}"; --help lists the commands`,
    );
  }
  if (command === "up") await kubernetesUp();
  else if (command === "load") await loadImages(images);
  else if (command === "down") await kubernetesDown();
  else if (command === "status") {
    const isOurs = await readStarted() !== undefined;
    const isReady = await (isOurs ? isNodeReady() : reachesCluster());
    print(
      !isReady
        ? "No cluster answers; `kubernetes.ts up` starts one"
        : isOurs
        ? `Kubernetes ${config.toolVersions.kubernetes}, started here; ${USE}`
        : "kubectl reaches a cluster that was not started here",
    );
    return isReady ? 0 : EXIT_CODES.failed;
  } else {
    throw new Failure(
      "usage",
      `Name one of up, load, down, status, not "${command}"`,
    );
  }
  return 0;
}

if (import.meta.main) await runProgram("kubernetes", run);
