/** Builds the programs of a Kubernetes node from Go modules. */
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { ask, clientFailed, run } from "../../src/io/tools/fetch.ts";
import { findGo } from "../../src/io/tools/go.ts";
import { GO } from "../../src/io/tools/table.ts";
import { PROJECT, runWell } from "../docker/machine.ts";

const VERSIONS = config.toolVersions;

/** Where the built programs are kept, by the version they are built at. */
export const PROGRAMS_FOLDER = `${PROJECT}.tools/kubernetes-${
  [
    VERSIONS.kubernetes,
    VERSIONS.etcd,
    VERSIONS.coredns,
    VERSIONS["kube-router"],
  ]
    .join("-")
}`;

/** A program of the node. */
interface Program {
  readonly name: string;
  /** Its import path, or a folder of ours in go/. */
  readonly package: string;
  /** What Go calls it (default its name). */
  readonly built?: string;
}

const KUBERNETES = "k8s.io/kubernetes";
const ETCD = "go.etcd.io/etcd/server/v3";
const COREDNS = "github.com/coredns/coredns";
const KUBE_ROUTER = "github.com/cloudnativelabs/kube-router/v2";

/** The programs that the node consists of. */
export const PROGRAMS: readonly Program[] = [
  ...[
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
  ].map((name) => ({ name, package: `${KUBERNETES}/cmd/${name}` })),
  { name: "etcd", package: ETCD, built: "server" },
  ...["coredns", "kube-firewall", "pause"]
    .map((name) => ({ name, package: `./${name}` })),
];

const WANTED = {
  title: "Kubernetes",
  version: VERSIONS.kubernetes,
  advice: "use a cluster that exists: kind, k3s, minikube",
};

/** Downloading 500 MB of modules, or compiling the longest of the programs. */
const STEP_LIMIT_MS = 1_800_000;

/** The path of a built program. */
export function programPath(name: string): string {
  return `${PROGRAMS_FOLDER}/${name}`;
}

/**
 * Builds the programs that are not there yet. Several processes may do so at
 * once: one builds, the others wait.
 *
 * @param say Receives each step, in a sentence.
 * @throws {Failure} `environment` when a module cannot be had or built.
 */
export async function buildPrograms(
  say: (line: string) => void,
): Promise<void> {
  if ((await missingPrograms()).length === 0) return;
  await Deno.mkdir(PROGRAMS_FOLDER, { recursive: true });
  const lock = await Deno.open(`${PROGRAMS_FOLDER}/lock`, {
    create: true,
    write: true,
  });
  try {
    await lock.lock(true);
    const missing = await missingPrograms();
    if (missing.length > 0) await build(missing, say);
  } finally {
    lock.close();
  }
}

async function missingPrograms(): Promise<readonly Program[]> {
  const missing: Program[] = [];
  for (const program of PROGRAMS) {
    const info = await Deno.stat(programPath(program.name))
      .catch(() => undefined);
    if (info === undefined) missing.push(program);
  }
  return missing;
}

async function build(
  programs: readonly Program[],
  say: (line: string) => void,
): Promise<void> {
  const workspace = {
    version: VERSIONS.kubernetes,
    folder: `${PROJECT}.tools/kubernetes-build`,
    toolsFolder: `${PROJECT}.tools`,
    env: (name: string) => Deno.env.get(name),
    onProgress: say,
    signal: undefined,
  };
  // Go does not read a go.mod directly in its temporary folder. The folder is
  // kept until everything is built, so that an interrupted build goes on.
  const cwd = `${workspace.folder}/module`;
  await Deno.mkdir(cwd, { recursive: true });
  const go = await findGo(WANTED, workspace, GO);
  const env = { ...go.env, GOFLAGS: `${go.env.GOFLAGS} -mod=mod -trimpath` };
  const step = async (...args: readonly string[]): Promise<string> => {
    const result = await run(workspace, go.path, args, {
      cwd,
      timeoutMs: STEP_LIMIT_MS,
      env,
    });
    if (result.code !== 0) throw clientFailed(WANTED, `go ${args[0]}`, result);
    return result.stdout;
  };
  const timed = async (what: string, ...args: readonly string[]) => {
    const startedMs = performance.now();
    await step(...args);
    const took = Math.round((performance.now() - startedMs) / 1_000);
    say(`${what} in ${took} s`);
  };
  const module = `${KUBERNETES}@v${VERSIONS.kubernetes}`;
  await ask(WANTED, workspace, "go", [go.path, "list", "-m", module], env);
  await writeModule(cwd, await stagingModules(step, module));
  await timed(
    "Fetched the Go modules",
    "get",
    module,
    `${ETCD}@v${VERSIONS.etcd}`,
    `${COREDNS}@v${VERSIONS.coredns}`,
    `${KUBE_ROUTER}@v${VERSIONS["kube-router"]}`,
  );
  const [major, minor] = VERSIONS.kubernetes.split(".");
  // Without these, the programs call themselves v0.0.0.
  const version = Object.entries({
    gitVersion: `v${VERSIONS.kubernetes}`,
    gitMajor: major,
    gitMinor: minor,
  }).map(([key, value]) => `-X=k8s.io/component-base/version.${key}=${value}`);
  say(`Building ${programs.map(({ name }) => name).join(", ")}`);
  // All at once: the linker, which takes half of the time, uses one core.
  const folder = `${workspace.folder}/bin/`;
  await timed(
    "Built them",
    "build",
    `-ldflags=${["-s", "-w", ...version].join(" ")}`,
    `-o=${folder}`,
    ...programs.map((program) => program.package),
  );
  for (const { name, built = name } of programs) {
    await Deno.rename(`${folder}${built}`, programPath(name));
  }
  await Deno.remove(workspace.folder, { recursive: true });
}

/**
 * The modules that are developed within Kubernetes: its go.mod takes them from
 * folders that its module does not contain.
 */
async function stagingModules(
  step: (...args: readonly string[]) => Promise<string>,
  module: string,
): Promise<readonly string[]> {
  const { GoMod: path } = JSON.parse(
    await step("mod", "download", "-json", module),
  ) as { readonly GoMod: string };
  return stagingModulesOf(await Deno.readTextFile(path));
}

/**
 * The modules that a go.mod replaces by folders of its own.
 *
 * @param goMod The text of the go.mod.
 */
export function stagingModulesOf(goMod: string): string[] {
  return [...goMod.matchAll(/^\s*(?:replace )?(\S+) => \.\/staging\//gm)]
    .map(([, name]) => name ?? "");
}

/** Writes the module that all programs are built in. */
async function writeModule(
  folder: string,
  staging: readonly string[],
): Promise<void> {
  // Kubernetes 1.34.4 is published with its parts as 0.34.4.
  const version = VERSIONS.kubernetes.replace(/^1/, "v0");
  await Deno.writeTextFile(
    `${folder}/go.mod`,
    [
      "module kubernetes-build",
      "go 1.25",
      ...staging.map((name) => `replace ${name} => ${name} ${version}`),
      "",
    ].join("\n"),
  );
  const sources = `${fileURLToPath(new URL("go/", import.meta.url))}.`;
  await runWell("cp", ["--recursive", sources, folder]);
}
