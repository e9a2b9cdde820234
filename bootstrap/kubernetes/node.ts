/** Starts the programs of a single-node cluster. */
import { Failure, messageOf } from "../../src/core/errors.ts";
import { runToEnd } from "../../src/io/processes.ts";
import { findTool } from "../../src/io/tools.ts";
import { waitUntil } from "../../src/io/wait.ts";
import { PROJECT, runWell, startDetached } from "../docker/machine.ts";
import {
  ACCOUNT_KEY,
  ADMIN_CERTIFICATE,
  ADMIN_KEY,
  API_CERTIFICATE,
  CONTAINERD_SOCKET,
  containerdConfig,
  dnsManifest,
  kubeconfig,
  kubeletConfig,
  networkConfig,
  NODE_ADDRESS,
  NODE_NAME,
  OWN_IMAGES,
  POD_RANGE,
  proxyConfig,
  RUN_FOLDER,
  SERVICE_RANGE,
} from "./configuration.ts";
import { packImage } from "./images.ts";
import { programPath } from "./programs.ts";
import { noteProcess } from "./state.ts";

/** Where images, logs and the file for kubectl are. */
export const DATA_FOLDER = `${PROJECT}.tools/kubernetes`;

/** For kubectl. */
export const KUBECONFIG = `${DATA_FOLDER}/kubeconfig`;

const NODE_KUBECONFIG = `${RUN_FOLDER}/kubeconfig`;

/** Where containerd keeps images and file systems. */
const IMAGES_FOLDER = `${DATA_FOLDER}/containerd`;

/** On a busy machine the API server takes half a minute. */
const START_LIMIT_MS = 120_000;

/** A daemon of the node. */
interface Daemon {
  readonly name: string;
  /** Its path, or its name on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** Whether pods are its children (default false). */
  readonly startsPods?: boolean;
  /** Whether it serves; a daemon without it is not waited for. */
  readonly isReady?: () => Promise<boolean>;
}

const CONTAINERD: Daemon = {
  name: "containerd",
  command: "containerd",
  args: [`--config=${RUN_FOLDER}/containerd.toml`],
  startsPods: true,
  isReady: () => succeeds("ctr", [...CTR, "version"]),
};

const CONTROL_PLANE: readonly Daemon[] = [
  {
    name: "etcd",
    command: programPath("etcd"),
    args: [
      `--data-dir=${RUN_FOLDER}/etcd`,
      "--listen-client-urls=http://127.0.0.1:2379",
      "--advertise-client-urls=http://127.0.0.1:2379",
      "--listen-peer-urls=http://127.0.0.1:2380",
      // What it holds ends with the cluster.
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    isReady: () => answers("http://127.0.0.1:2379/health"),
  },
  {
    name: "kube-apiserver",
    command: programPath("kube-apiserver"),
    args: [
      "--etcd-servers=http://127.0.0.1:2379",
      `--bind-address=${NODE_ADDRESS}`,
      `--advertise-address=${NODE_ADDRESS}`,
      "--secure-port=6443",
      `--cert-dir=${RUN_FOLDER}/pki`,
      `--client-ca-file=${ADMIN_CERTIFICATE}`,
      `--kubelet-client-certificate=${ADMIN_CERTIFICATE}`,
      `--kubelet-client-key=${ADMIN_KEY}`,
      "--kubelet-preferred-address-types=InternalIP",
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${ACCOUNT_KEY}`,
      `--service-account-signing-key-file=${ACCOUNT_KEY}`,
      "--authorization-mode=Node,RBAC",
    ],
    isReady: () =>
      answers(`https://${NODE_ADDRESS}:6443/readyz`, API_CERTIFICATE),
  },
  {
    name: "kube-controller-manager",
    command: programPath("kube-controller-manager"),
    args: [
      `--kubeconfig=${NODE_KUBECONFIG}`,
      `--root-ca-file=${API_CERTIFICATE}`,
      `--service-account-private-key-file=${ACCOUNT_KEY}`,
      `--cluster-cidr=${POD_RANGE}`,
      "--node-cidr-mask-size=24",
      "--allocate-node-cidrs",
      "--leader-elect=false",
      "--secure-port=0",
    ],
  },
  {
    name: "kube-scheduler",
    command: programPath("kube-scheduler"),
    args: [
      `--kubeconfig=${NODE_KUBECONFIG}`,
      "--leader-elect=false",
      "--secure-port=0",
    ],
  },
];

const NODE: readonly Daemon[] = [
  {
    name: "kubelet",
    command: programPath("kubelet"),
    args: [
      `--config=${RUN_FOLDER}/kubelet.json`,
      `--kubeconfig=${NODE_KUBECONFIG}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_ADDRESS}`,
      `--root-dir=${RUN_FOLDER}/kubelet`,
      `--cert-dir=${RUN_FOLDER}/pki`,
    ],
    isReady: isNodeReady,
  },
  {
    name: "kube-proxy",
    command: programPath("kube-proxy"),
    args: [`--config=${RUN_FOLDER}/proxy.json`],
    isReady: () => answers("http://127.0.0.1:10256/healthz"),
  },
  {
    name: "kube-firewall",
    command: programPath("kube-firewall"),
    args: [
      `--kubeconfig=${NODE_KUBECONFIG}`,
      `--hostname-override=${NODE_NAME}`,
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
    ],
  },
];

const CTR = [`--address=${CONTAINERD_SOCKET}`, "--namespace=k8s.io"];

/**
 * Starts all programs, one after another, and waits until the node is Ready and
 * its DNS answers from the API server.
 *
 * @param say Receives each step, in a sentence.
 * @throws {Failure} `environment` with the last message of what does not start.
 */
export async function startNode(say: (line: string) => void): Promise<void> {
  await prepare();
  await keepOthersOut();
  const startedMs = performance.now();
  const step = (what: string) =>
    say(
      `${what} after ${Math.round((performance.now() - startedMs) / 1_000)} s`,
    );
  await launch(CONTAINERD);
  for (const [program, name] of Object.entries(OWN_IMAGES)) {
    const archive = `${RUN_FOLDER}/image.tar`;
    await packImage(programPath(program), name, archive);
    await importImages(archive);
    await Deno.remove(archive);
  }
  step("containerd serves");
  for (const daemon of CONTROL_PLANE) await launch(daemon);
  step("The API server is ready");
  for (const daemon of NODE) await launch(daemon);
  await keepServicesHere();
  step("The node is Ready");
  await kubectl(["apply", "--filename", `${RUN_FOLDER}/dns.json`]);
  await kubectl([
    ...["rollout", "status", "deployment/coredns", "--namespace=kube-system"],
    `--timeout=${START_LIMIT_MS / 1_000}s`,
  ]);
  step("DNS answers");
}

/**
 * While a Service has no endpoint, kube-proxy has no rule for its address for a
 * moment, and a connection would leave the machine; something there may even
 * answer. The comment is what `down` finds the rules by.
 */
async function keepServicesHere(): Promise<void> {
  for (const chain of ["OUTPUT", "FORWARD"]) {
    await runWell("iptables", [
      ...["--append", chain, "--destination", SERVICE_RANGE],
      ...["--match", "comment", "--comment", "KUBE-NOWHERE-ELSE"],
      ...["--jump", "REJECT"],
    ]);
  }
}

/**
 * The kernel accepts packets for any of its addresses on every interface, and
 * passes on those for Services and pods, so other machines on the network would
 * need only a route. The comment is what `down` finds the rules by.
 */
async function keepOthersOut(): Promise<void> {
  for (const destination of [NODE_ADDRESS, SERVICE_RANGE, POD_RANGE]) {
    await runWell("iptables", [
      ...["--table", "mangle", "--append", "PREROUTING"],
      ...["!", "--in-interface", "lo", "!", "--source", POD_RANGE],
      ...["--destination", destination],
      ...["--match", "comment", "--comment", "KUBE-NOBODY-ELSE"],
      ...["--jump", "DROP"],
    ]);
  }
}

/** Writes the configuration, with keys and certificates. */
async function prepare(): Promise<void> {
  for (const folder of ["cni", "pki"]) {
    await Deno.mkdir(`${RUN_FOLDER}/${folder}`, {
      recursive: true,
      mode: 0o700,
    });
  }
  await Deno.mkdir(IMAGES_FOLDER, { recursive: true });
  await runWell("ip", ["address", "add", `${NODE_ADDRESS}/32`, "dev", "lo"]);
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${RUN_FOLDER}/${name}`, text, { mode: 0o600 });
  await write("containerd.toml", containerdConfig(IMAGES_FOLDER));
  await write("cni/10-grpc-demo.conflist", networkConfig());
  await write("kubelet.json", kubeletConfig());
  await write("proxy.json", proxyConfig());
  await write("dns.json", dnsManifest());
  // One certificate for all that may do everything; it is its own authority.
  await makeCertificate(
    { certificate: ADMIN_CERTIFICATE, key: ADMIN_KEY },
    ["-subj", "/O=system:masters/CN=kubernetes-admin"],
    ["-addext", "extendedKeyUsage=clientAuth"],
  );
  // Pods and kubectl trust this one alone.
  const names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const addresses = [NODE_ADDRESS, SERVICE_RANGE.replace(/0\/.*/, "1")];
  await makeCertificate(
    {
      certificate: API_CERTIFICATE,
      key: API_CERTIFICATE.replace(/crt$/, "key"),
    },
    ["-subj", "/CN=kube-apiserver"],
    ["-addext", "extendedKeyUsage=serverAuth"],
    // Deno takes no authority for a server.
    ["-addext", "basicConstraints=critical,CA:FALSE"],
    [
      "-addext",
      `subjectAltName=${
        [
          ...names.map((name) => `DNS:${name}`),
          ...addresses.map((address) => `IP:${address}`),
        ].join()
      }`,
    ],
  );
  await runWell("openssl", ["genrsa", "-out", ACCOUNT_KEY, "2048"]);
  const text = kubeconfig({
    server: await Deno.readTextFile(API_CERTIFICATE),
    certificate: await Deno.readTextFile(ADMIN_CERTIFICATE),
    key: await Deno.readTextFile(ADMIN_KEY),
  });
  await write("kubeconfig", text);
  await Deno.writeTextFile(KUBECONFIG, text, { mode: 0o600 });
}

/** A week is longer than any such cluster lives. */
const CERTIFICATE_DAYS = "7";

async function makeCertificate(
  files: { readonly certificate: string; readonly key: string },
  ...options: readonly (readonly string[])[]
): Promise<void> {
  await runWell("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes"],
    ...["-days", CERTIFICATE_DAYS, ...options.flat()],
    ...["-keyout", files.key, "-out", files.certificate],
  ]);
}

/**
 * The priority of what manages the pods, which are measured, and which have
 * that of containerd, whose children they are.
 */
const NICE = ["--adjustment=10"];

async function launch(
  { name, command, args, isReady, startsPods }: Daemon,
): Promise<void> {
  const log = `${DATA_FOLDER}/${name}.log`;
  const { pid, hasEnded } = startsPods
    ? startDetached(command, args, log)
    : startDetached("nice", [...NICE, command, ...args], log);
  await noteProcess(name, pid);
  const isDecided = await waitUntil(
    async () => hasEnded() || await (isReady?.() ?? true),
    START_LIMIT_MS,
  );
  if (isDecided && !hasEnded()) return;
  throw new Failure(
    "environment",
    `${name} ${
      hasEnded() ? "ended" : `was not ready within ${START_LIMIT_MS / 1_000} s`
    }: ${await lastWords(log)}; see ${log}`,
  );
}

/** A daemon's last error, or its last line. */
async function lastWords(log: string): Promise<string> {
  const text = await Deno.readTextFile(log)
    .catch((error) => messageOf(error));
  const lines = text.trimEnd().split("\n");
  return lines.findLast((line) =>
    /^[EF][0-9]{4} |level":"(error|fatal)/.test(line)
  ) ??
    lines.at(-1) ?? "it said nothing";
}

/** How long an answer may take. */
const ANSWER_LIMIT_MS = 5_000;

async function answers(url: string, authority?: string): Promise<boolean> {
  const caCerts = authority === undefined
    ? []
    : [await Deno.readTextFile(authority)];
  using client = Deno.createHttpClient({ caCerts });
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const response = await fetch(url, { client, signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function succeeds(
  command: string,
  args: readonly string[],
): Promise<boolean> {
  try {
    const { code } = await runToEnd(command, args, {
      timeoutMs: ANSWER_LIMIT_MS,
    });
    return code === 0;
  } catch {
    return false;
  }
}

let foundKubectl: Promise<string> | undefined;

/** It is looked for once, and then asked many times. */
function kubectlPath(): Promise<string> {
  foundKubectl ??= findTool("kubectl").then(({ path }) => path);
  return foundKubectl;
}

/** Whether kubectl reaches a cluster by itself. */
export async function reachesCluster(): Promise<boolean> {
  const words = ["--request-timeout=3s", "get", "--raw=/readyz"];
  return await succeeds(await kubectlPath(), words);
}

/** The images of each node of the cluster that kubectl reaches by itself. */
export async function imagesOfNodes(): Promise<readonly (readonly string[])[]> {
  const path = '{range .items[*]}{.status.images[*].names[*]}{"\\n"}{end}';
  const words = ["get", "nodes", `--output=jsonpath=${path}`];
  const nodes = await runWell(await kubectlPath(), words);
  return nodes.trim().split("\n").map((names) => names.split(" "));
}

/** Whether the node is Ready. */
export async function isNodeReady(): Promise<boolean> {
  return await succeeds(await kubectlPath(), [
    `--kubeconfig=${NODE_KUBECONFIG}`,
    ...["wait", "--for=condition=Ready", "--timeout=1s", `node/${NODE_NAME}`],
  ]);
}

async function kubectl(args: readonly string[]): Promise<string> {
  return await runWell(await kubectlPath(), [
    `--kubeconfig=${NODE_KUBECONFIG}`,
    ...args,
  ]);
}

/**
 * Imports images into the node.
 *
 * @param archive What `docker save` makes.
 * @throws {Failure} `environment` when containerd does not take it.
 */
export async function importImages(archive: string): Promise<void> {
  await runWell("ctr", [...CTR, "images", "import", archive]);
}

/** Ends all containers, in a containerd that still runs. */
export async function endContainers(): Promise<void> {
  const list = async (...words: string[]) =>
    (await runToEnd("ctr", [...CTR, ...words, "list", "--quiet"], {
      timeoutMs: ANSWER_LIMIT_MS,
    })).stdout.split("\n").filter((id) => id !== "");
  for (const id of await list("tasks")) {
    await runToEnd("ctr", [...CTR, "tasks", "remove", "--force", id]);
  }
  const ids = await list("containers");
  if (ids.length > 0) {
    await runToEnd("ctr", [...CTR, "containers", "rm", ...ids]);
  }
}
