/** Starts a Docker engine on a machine that has none, and stops it. */
import { Failure } from "../../src/core/errors.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { forwardPolicyOf, removalOfRules } from "./firewall.ts";
import { waitUntil } from "../../src/io/wait.ts";
import { DOCKER_FOLDER, isThere, runWell, startDetached } from "./machine.ts";

/** Short, since socket paths have at most 107 bytes. */
const EXEC_ROOT = "/run/grpc-demo-docker";

const DATA_ROOT = `${DOCKER_FOLDER}/data`;
const LOG = `${DOCKER_FOLDER}/dockerd.log`;
const PID_FILE = `${DOCKER_FOLDER}/dockerd.pid`;
const STATE = `${DOCKER_FOLDER}/started.json`;

/** The first start on a slow disk takes some seconds. */
const START_LIMIT_MS = 60_000;

/** The engine gives its containers 15 s. */
const STOP_LIMIT_MS = 30_000;

const ANSWER_LIMIT_MS = 20_000;

/** The state before our engine, and what was started. */
interface Started {
  /** The engine's process id; undefined when only Compose was linked. */
  readonly pid?: number;
  /** The packet filters' earlier FORWARD policies, by command. */
  readonly forwardPolicies?: Readonly<Record<string, string>>;
  /** Network interfaces that existed before. */
  readonly interfaces?: readonly string[];
  /** Whether the kernel forwarded packets before: "0" or "1". */
  readonly ipForward?: string;
  /** A link outside the project's folder. */
  readonly link?: string;
}

const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

/** What an earlier `up` recorded, or undefined. */
export async function readStarted(): Promise<Started | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(STATE)) as Started;
  } catch {
    return undefined;
  }
}

/** Records what must be taken down later. */
export async function noteStarted(more: Started): Promise<void> {
  const started = { ...await readStarted(), ...more };
  await Deno.mkdir(DOCKER_FOLDER, { recursive: true });
  await Deno.writeTextFile(STATE, `${JSON.stringify(started, null, 2)}\n`);
}

/**
 * The version of the engine that `docker` reaches, or undefined.
 *
 * @throws {Failure} `environment` when there is no `docker` at all.
 */
export async function engineVersion(): Promise<string | undefined> {
  const { code, stdout } = await runToEnd(
    "docker",
    ["version", "--format", "{{.Server.Version}}"],
    { timeoutMs: ANSWER_LIMIT_MS },
  );
  return code === 0 ? stdout.trim() : undefined;
}

/**
 * Starts `dockerd` on Docker's usual socket and waits until it answers.
 *
 * @returns Its process id.
 * @throws {Failure} `environment` with the engine's last message.
 */
export async function startDaemon(): Promise<number> {
  await noteStarted({
    forwardPolicies: await forwardPolicies(),
    interfaces: await networkInterfaces(),
    ipForward: (await runWell("cat", [IP_FORWARD])).trim(),
  });
  const daemon = await launch();
  if (daemon.answers) return daemon.pid;
  const reason = await lastError();
  await stopDaemon();
  throw new Failure(
    "environment",
    `The Docker engine does not start: ${reason}; see ${LOG}`,
  );
}

async function launch(): Promise<
  { readonly pid: number; readonly answers: boolean }
> {
  const args = [
    `--data-root=${DATA_ROOT}`,
    `--exec-root=${EXEC_ROOT}`,
    `--pidfile=${PID_FILE}`,
    "--host=unix:///var/run/docker.sock",
  ];
  const { pid, hasEnded } = startDetached("dockerd", args, LOG);
  await noteStarted({ pid });
  const isDecided = await waitUntil(
    async () => hasEnded() || await engineVersion() !== undefined,
    START_LIMIT_MS,
  );
  return { pid, answers: isDecided && !hasEnded() };
}

/** The reason of the engine's exit, from its log. */
async function lastError(): Promise<string> {
  const log = await Deno.readTextFile(LOG).catch(() => "");
  const lines = log.trimEnd().split("\n");
  const line = lines.findLast((line) => /level=(?:error|fatal)/.test(line)) ??
    lines.at(-1) ?? "";
  return /msg="(.*)"/.exec(line)?.[1] ?? (line || "it said nothing");
}

/** Whether the engine we started is running. */
async function isOurDaemon(pid: number): Promise<boolean> {
  return (await ourProcesses()).includes(pid);
}

/** Stops the engine we started, with all its containers. */
export async function stopDaemon(): Promise<void> {
  const started = await readStarted();
  if (started?.pid !== undefined) {
    await stopEngine(started.pid);
    // A killed engine leaves its folder bind-mounted on itself.
    await runToEnd("umount", ["--quiet", DATA_ROOT]).catch(() => {});
    await cleanNetwork(started);
    await Deno.remove(EXEC_ROOT, { recursive: true }).catch(() => {});
  }
  if (started?.link !== undefined) {
    await Deno.remove(started.link).catch(() => {});
  }
  await Deno.remove(STATE).catch(() => {});
}

async function stopEngine(notedPid: number): Promise<void> {
  let pid = notedPid;
  const hasDied = !await isOurDaemon(pid);
  // A killed engine's containers live on. A new engine in the same folders
  // finds them and their mounts, and can end them.
  if (hasDied && (await ourProcesses()).length > 0) {
    await removeStalePidFiles();
    pid = (await launch()).pid;
  }
  if (await isOurDaemon(pid)) {
    await removeContainers();
    Deno.kill(pid, "SIGTERM");
  }
  const ended = () => ourProcesses().then((pids) => pids.length === 0);
  if (await waitUntil(ended, STOP_LIMIT_MS)) return;
  for (const each of await ourProcesses()) Deno.kill(each, "SIGKILL");
  await waitUntil(ended, STOP_LIMIT_MS);
}

/**
 * A new engine takes the process named by such a file for a running engine,
 * even if it is a zombie, as in a container without an init process.
 */
async function removeStalePidFiles(): Promise<void> {
  const running = await ourProcesses();
  for (const file of [PID_FILE, `${EXEC_ROOT}/containerd/containerd.pid`]) {
    const pid = Number(await Deno.readTextFile(file).catch(() => "0"));
    if (pid !== 0 && !running.includes(pid)) await Deno.remove(file);
  }
}

async function removeContainers(): Promise<void> {
  try {
    const ids = (await runWell("docker", ["ps", "--all", "--quiet"], {
      timeoutMs: ANSWER_LIMIT_MS,
    })).split("\n").filter((id) => id !== "");
    if (ids.length > 0) {
      await runWell("docker", ["rm", "--force", "--volumes", ...ids]);
    }
    await runWell("docker", ["network", "prune", "--force"]);
  } catch {
    // An engine that does not answer is killed anyway, and its leftovers are
    // removed afterwards.
  }
}

/** The engine, its containerd and its shims, found by a path only ours have. */
async function ourProcesses(): Promise<number[]> {
  const { stdout } = await runToEnd("sh", [
    "-c",
    'grep --text --no-messages --with-filename "" /proc/[0-9]*/cmdline',
  ]);
  return processesOf(EXEC_ROOT, stdout);
}

/**
 * The engines, containerds and shims started with a path.
 *
 * @param listing Lines of "/proc/PID/cmdline:", the command line, with a zero
 * byte after each word.
 */
export function processesOf(path: string, listing: string): number[] {
  const row =
    /^\/proc\/([0-9]+)\/cmdline:(?:[^\0]*\/)?(?:dockerd|containerd[a-z0-9-]*)\0(.*)$/;
  return listing.split("\n").flatMap((line) => {
    const [, pid, words] = row.exec(line) ?? [];
    const isOurs = words?.split("\0").some((word) =>
      word === path || word.startsWith(`${path}/`) ||
      word.endsWith(`=${path}`)
    );
    return isOurs ? [Number(pid)] : [];
  });
}

const FIREWALLS = ["iptables", "ip6tables"] as const;

async function forwardPolicies(): Promise<Record<string, string>> {
  const policies: Record<string, string> = {};
  for (const command of FIREWALLS) {
    if (!await isThere(command)) continue;
    policies[command] = forwardPolicyOf(await runWell(`${command}-save`, []));
  }
  return policies;
}

/** Removes the engine's bridges and its rules in the packet filter. */
async function cleanNetwork(started: Started): Promise<void> {
  for (const name of await networkInterfaces()) {
    const isNewBridge = /^br-[0-9a-f]{12}$/.test(name) &&
      !started.interfaces?.includes(name);
    if (name !== "docker0" && !isNewBridge) continue;
    await runToEnd("ip", ["link", "delete", name]).catch(() => {});
  }
  const file = `${DOCKER_FOLDER}/firewall.restore`;
  for (const command of FIREWALLS) {
    const forwardPolicy = started.forwardPolicies?.[command];
    if (forwardPolicy === undefined) continue;
    const saved = await runWell(`${command}-save`, []);
    const removal = removalOfRules("docker", saved, {
      forwardPolicy,
    });
    if (removal === "") continue;
    await Deno.writeTextFile(file, removal);
    await runWell(`${command}-restore`, ["--noflush", file]);
    await Deno.remove(file);
  }
  if (started.ipForward === undefined) return;
  await runWell("sh", ["-c", `echo ${started.ipForward} > ${IP_FORWARD}`]);
}

/** Deno lets only programs with all permissions read /sys and /proc. */
async function networkInterfaces(): Promise<string[]> {
  return (await runWell("ls", ["/sys/class/net"])).trim().split("\n");
}
