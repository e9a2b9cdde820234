/** What a cluster leaves on the machine, and its removal. */
import { runToEnd } from "../../src/io/processes.ts";
import { waitUntil } from "../../src/io/wait.ts";
import { removalOfRules } from "../docker/firewall.ts";
import { isThere, runWell } from "../docker/machine.ts";
import { NODE_ADDRESS, RUN_FOLDER } from "./configuration.ts";
import { DATA_FOLDER, endContainers } from "./node.ts";
import type { Started } from "./state.ts";

/** The kernel's settings that containerd, the kubelet and kube-proxy change. */
const SETTINGS = [
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxbytes",
  "kernel/keys/root_maxkeys",
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/route_localnet",
  "net/bridge/bridge-nf-call-iptables",
  "net/bridge/bridge-nf-call-ip6tables",
  "net/netfilter/nf_conntrack_max",
  "net/netfilter/nf_conntrack_tcp_be_liberal",
  "vm/overcommit_memory",
];

/** The folders that the programs make wherever they are told to work. */
const FOLDERS = [
  "/etc/cni",
  "/opt/cni",
  "/run/containerd",
  "/run/netns",
  "/run/xtables.lock",
  "/usr/libexec/kubernetes",
  "/var/lib/calico",
  "/var/lib/cni",
  "/var/lib/kubelet",
  "/var/lib/kube-router",
  "/var/log/containers",
  "/var/log/pods",
  "/var/run/kubernetes",
];

/** Where the network of each pod has a file. */
const NETWORKS = "/run/netns";

/** How long a program may take to end before it is killed. */
const STOP_LIMIT_MS = 30_000;

/** What to remember of the machine before anything is started. */
export async function machineBefore(): Promise<Started> {
  const settings: Record<string, string> = {};
  for (const path of SETTINGS) {
    const { code, stdout } = await runToEnd("cat", [`/proc/sys/${path}`]);
    if (code === 0) settings[path] = stdout.trim();
  }
  const { stdout } = await runToEnd("ls", ["--directory", ...FOLDERS]);
  return {
    processes: {},
    settings,
    folders: stdout.trim().split("\n"),
    networks: await filesIn(NETWORKS),
  };
}

/** Ends everything that a cluster runs and removes all that it left. */
export async function removeTraces(started: Started): Promise<void> {
  // The last first: an API server without its etcd does not end by itself.
  for (const [name, pid] of Object.entries(started.processes).reverse()) {
    if (name === "containerd") await endContainers().catch(() => {});
    // These take half a minute to end, for data that is removed anyway.
    const isKilled = ["kube-apiserver", "etcd"].includes(name);
    await end([pid], isKilled ? ["SIGKILL"] : undefined);
  }
  // Shims outlive containerd.
  await end(await ourProcesses());
  await unmount(started);
  await removeRules();
  await runToEnd("ip", [
    "address",
    "delete",
    `${NODE_ADDRESS}/32`,
    "dev",
    "lo",
  ]);
  for (const [path, value] of Object.entries(started.settings)) {
    await runToEnd("sh", ["-c", `echo ${value} > /proc/sys/${path}`]);
  }
  await removeControlGroups();
  const added = FOLDERS.filter((path) => !started.folders.includes(path));
  await runWell("rm", [
    ...["--recursive", "--force", "--one-file-system"],
    ...[RUN_FOLDER, `${DATA_FOLDER}/containerd`, ...added],
  ]);
}

/** Asks processes of the cluster to end, and kills those that do not. */
async function end(
  pids: readonly number[],
  signals: readonly Deno.Signal[] = ["SIGTERM", "SIGKILL"],
): Promise<void> {
  for (const signal of signals) {
    // A number may belong to another process by now.
    const running = await ourProcesses();
    const left = pids.filter((pid) => running.includes(pid));
    if (left.length === 0) return;
    for (const pid of left) Deno.kill(pid, signal);
    const isOver = async () => {
      const still = await ourProcesses();
      return !left.some((pid) => still.includes(pid));
    };
    if (await waitUntil(isOver, STOP_LIMIT_MS)) return;
  }
}

/** The cluster's programs and shims, found by a path that only they have. */
async function ourProcesses(): Promise<number[]> {
  const { stdout } = await runToEnd("sh", [
    "-c",
    'grep --text --no-messages --with-filename "" /proc/[0-9]*/cmdline',
  ]);
  return clusterProcesses(stdout);
}

/**
 * The processes that were started for a cluster.
 *
 * @param listing Lines of "/proc/PID/cmdline:", the command line, with a zero
 * byte after each word.
 */
export function clusterProcesses(listing: string): number[] {
  const row =
    /^\/proc\/([0-9]+)\/cmdline:(?:[^\0]*\/)?(?:containerd[a-z0-9-]*|etcd|kube[a-z-]+)\0(.*)$/;
  return listing.split("\n").flatMap((line) => {
    const [, pid, words] = row.exec(line) ?? [];
    const isOurs = words?.split("\0").some((word) =>
      word.startsWith(`${RUN_FOLDER}/`) || word.includes(`=${RUN_FOLDER}/`)
    );
    return isOurs ? [Number(pid)] : [];
  });
}

async function unmount(started: Started): Promise<void> {
  // `ip netns` mounts the folder on itself, and so hides the networks in it.
  if (!started.folders.includes(NETWORKS)) {
    await runToEnd("umount", ["--quiet", "--lazy", NETWORKS]);
  }
  const mounts = (await runWell("cat", ["/proc/mounts"])).split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  const networks = (await filesIn(NETWORKS))
    .filter((name) =>
      name.startsWith("cni-") && !started.networks.includes(name)
    )
    .map((name) => `${NETWORKS}/${name}`);
  const ours = mounts.filter((path) =>
    networks.includes(path) ||
    [RUN_FOLDER, `${DATA_FOLDER}/containerd`]
      .some((folder) => path.startsWith(`${folder}/`))
  );
  for (const path of ours.reverse()) await runToEnd("umount", ["--lazy", path]);
  // With its network's name, a pod's end of the link goes, and so does ours.
  for (const path of networks) await runToEnd("rm", ["--force", path]);
}

async function removeRules(): Promise<void> {
  const file = `${DATA_FOLDER}/firewall.restore`;
  for (const command of ["iptables", "ip6tables"]) {
    const removal = removalOfRules(
      "kubernetes",
      await runWell(`${command}-save`, []),
    );
    if (removal === "") continue;
    await Deno.writeTextFile(file, removal);
    await runWell(`${command}-restore`, ["--noflush", file]);
    await Deno.remove(file);
  }
  if (!await isThere("ipset")) return;
  const sets = (await runWell("ipset", ["list", "-name"])).split("\n")
    .filter((name) => /^(?:inet6:)?(?:KUBE|kube-router)-/.test(name));
  // A list of sets goes before the sets in it.
  for (let round = 0; round < 2; round++) {
    for (const name of sets) await runToEnd("ipset", ["destroy", name]);
  }
}

/** The control groups of pods: empty ones, from the innermost. */
async function removeControlGroups(): Promise<void> {
  await runToEnd("find", [
    ...["/sys/fs/cgroup", "-depth", "-type", "d"],
    ...["-path", "*/kubepods*", "-exec", "rmdir", "{}", "+"],
  ]);
}

async function filesIn(folder: string): Promise<string[]> {
  const { stdout } = await runToEnd("ls", [folder]);
  return stdout.split("\n").filter((name) => name !== "");
}
