/**
 * One Compose project: compose.yaml under a name of its own, with its own
 * ports.
 */
import denoJson from "../../deno.json" with { type: "json" };
import { Failure } from "../core/errors.ts";
import { parseYaml } from "../core/yaml.ts";
import { kitFolder, projectFolder } from "../io/build.ts";
import { readText } from "../io/files.ts";
import { type RunResult, runToEnd } from "../io/processes.ts";
import { type Child, startChild } from "../io/child.ts";
import {
  docker,
  dockerFailure,
  NUMBER_LABEL,
  PROJECT_LABEL,
  requireDocker,
  SERVICE_LABEL,
} from "./docker.ts";
import type { EnvoyConfig } from "./envoy_config.ts";
import { refusalOf } from "./envoy_refusal.ts";
import { bundleProgram } from "./programs.ts";
import type { LineSink } from "./stack.ts";

/** The services of compose.yaml. */
export const SERVICES = {
  server: "grpc-server",
  envoy: "envoy",
  client: "grpc-client",
} as const;

/** A container's name in a stack: "server-1", as in its replies; "envoy". */
export function programName(service: string, number: string): string {
  return service === SERVICES.server
    ? `server-${number}`
    : service.replace(/^grpc-/, "");
}

/** When a container is killed; all of them stop sooner. */
const STOP_LIMIT_S = 20;

/** Enough to pull images and compile for the first time, on a slow network. */
const UP_LIMIT_MS = 900_000;

/** Three services one after another, each within its own limit. */
const DOWN_LIMIT_MS = 3 * STOP_LIMIT_S * 1000;

/** The folder of compose.yaml. */
const FOLDER = projectFolder();

/**
 * The project name that `docker compose` uses in this folder: the folder's own,
 * unless COMPOSE_PROJECT_NAME is set.
 *
 * @throws {Failure} `environment` when Docker or compose.yaml is missing, or
 * when containers of another folder have that name.
 */
export async function demoProject(): Promise<string> {
  if (kitFolder() !== undefined) {
    throw new Failure(
      "environment",
      "A kit has nothing for Docker; leave out --docker, or use the project's " +
        "folder",
    );
  }
  await requireDocker();
  await readComposeFile();
  const words = [...COMPOSE_WORDS, "config", "--format", "json"];
  const name = JSON.parse(await docker(words, { cwd: FOLDER })).name as string;
  const found = await docker([
    ...["ps", "--all", "--filter", `label=${PROJECT_LABEL}=${name}`],
    ...["--format", `{{.Label "${PROJECT_LABEL}.working_dir"}}`],
  ]);
  const own = await Deno.realPath(FOLDER);
  for (const folder of new Set(found.split("\n"))) {
    if (folder === "" || await realPath(folder) === own) continue;
    throw new Failure(
      "environment",
      `The containers of the Compose project "${name}" belong to the folder ` +
        `"${folder}"; set COMPOSE_PROJECT_NAME to a name for this folder's`,
    );
  }
  return name;
}

async function realPath(folder: string): Promise<string> {
  try {
    return await Deno.realPath(folder);
  } catch {
    return folder; // It no longer exists, so it is another one.
  }
}

/** Options of a project. */
export interface ProjectOptions {
  /** Projects of different names run side by side. */
  readonly name: string;
  /** Prefix of its image names (default: its name). */
  readonly images?: string | undefined;
  readonly ports?: {
    readonly grpc: number;
    readonly l4: number;
    readonly admin: number;
  };
  /** Differences from compose.yaml. */
  readonly change?: ServiceChange;
  readonly onLine?: LineSink;
  readonly signal?: AbortSignal;
}

const COMPOSE_WORDS = [
  ...["compose", "--ansi", "never", "--progress", "plain"],
  ...["--project-directory", FOLDER, "--file", `${FOLDER}compose.yaml`],
];

/** What an experiment changes in compose.yaml. */
export interface ServiceChange {
  /** Replaces the mounted envoy.yaml. */
  readonly config?: EnvoyConfig;
  /** The configuration's name in error messages (default "envoy.yaml"). */
  readonly configName?: string | undefined;
  /** Envoy's worker threads. */
  readonly concurrency?: number;
  /** Extra flags for every server. */
  readonly serverFlags?: readonly string[];
  /** Source of a program started in place of every server (default: none). */
  readonly serverProgram?: string | undefined;
}

interface ComposeFile {
  readonly services: Readonly<
    Record<string, { readonly command: readonly string[] }>
  >;
}

/** Runs `docker compose` for one project. */
export class ComposeProject {
  readonly name: string;
  readonly #options: ProjectOptions;
  #change: ServiceChange | undefined;
  #override: string | undefined;
  #logs: Child | undefined;
  #ends: Child | undefined;

  constructor(options: ProjectOptions) {
    this.name = options.name;
    this.#options = options;
    this.#change = options.change;
  }

  /** Creates a new container for Envoy with another configuration. */
  async replaceEnvoy(config: EnvoyConfig): Promise<void> {
    this.#change = { ...this.#change, config };
    await this.up(["--no-build", "--no-deps"], [SERVICES.envoy]);
  }

  /**
   * Has Envoy validate a configuration before it is used: a container that
   * refuses it would restart again and again.
   *
   * @throws {Failure} `environment` when it is refused.
   */
  async requireAccepted(config: EnvoyConfig, name: string): Promise<void> {
    const { signal } = this.#options;
    const { stderr } = await runToEnd(
      "docker",
      this.#args([
        ...["run", "--rm", "--no-deps", "--no-TTY", SERVICES.envoy],
        ...["--mode", "validate", "--log-level", "error"],
        ...["--config-yaml", JSON.stringify(config)],
      ]),
      {
        cwd: FOLDER,
        env: this.#env(),
        timeoutMs: UP_LIMIT_MS,
        ...(signal === undefined ? {} : { signal }),
      },
    );
    const refusal = refusalOf(stderr.split("\n"), config, name);
    if (refusal !== undefined) throw refusal;
  }

  /** Starts services; builds their images first with "--build". */
  async up(
    flags: readonly string[],
    services: readonly string[],
  ): Promise<void> {
    await this.#writeOverride();
    await this.#show(["up", "--detach", ...flags, ...services]);
  }

  /** Passes on the containers' output until they end. */
  followLogs(): void {
    const { onLine } = this.#options;
    if (onLine === undefined) return;
    const logs = startChild({
      command: "docker",
      args: this.#args(["logs", "--follow", "--no-color"]),
      cwd: FOLDER,
      env: this.#env(),
      onLine: (line) => {
        const [, service = "", number = "", text = ""] =
          /^(\S+)-(\d+)\s+\| ?(.*)$/.exec(line) ?? [];
        if (service === "") return;
        const program = programName(service, number);
        onLine(program, text.replace(`${program}: `, ""));
      },
    });
    this.#logs = logs;
  }

  /** Reports each container that ends, for whatever reason. */
  followEnds(
    onEnd: (program: string, id: string, exitCode: number) => void,
  ): void {
    const label = (name: string) => `{{index .Actor.Attributes "${name}"}}`;
    this.#ends = startChild({
      command: "docker",
      args: [
        ...["events", "--filter", `label=${PROJECT_LABEL}=${this.name}`],
        ...["--filter", "event=die", "--format"],
        [
          ...["{{.Actor.ID}}", label("exitCode")],
          ...[label(SERVICE_LABEL), label(NUMBER_LABEL)],
        ].join(" "),
      ],
      onLine: (line) => {
        const [id = "", code, service = "", number = ""] = line.split(" ");
        onEnd(programName(service, number), id, Number(code));
      },
    });
  }

  /** Stops the containers of one service. */
  async stop(service: string): Promise<void> {
    await this.#run(["stop", "--timeout", String(STOP_LIMIT_S), service]);
  }

  /** Stops and removes every container and network of the project. */
  async down(): Promise<void> {
    const flags = ["--timeout", String(STOP_LIMIT_S), "--volumes"];
    this.#ends?.kill("SIGTERM");
    try {
      // Of every profile: somebody may have started more by hand.
      const words = ["--profile", "*", "down", ...flags, "--remove-orphans"];
      await this.#run(words);
    } finally {
      this.#logs?.kill("SIGTERM");
      await Promise.all([this.#logs?.exited, this.#ends?.exited]);
      await this.#removeOverride();
    }
  }

  async #run(words: readonly string[]): Promise<void> {
    await docker(this.#args(words), {
      cwd: FOLDER,
      env: this.#env(),
      timeoutMs: DOWN_LIMIT_MS,
    });
  }

  /** Runs a long command and passes on its output. */
  async #show(words: readonly string[]): Promise<void> {
    const { signal, onLine } = this.#options;
    const lines: string[] = [];
    const args = this.#args(words);
    const child = startChild({
      command: "docker",
      args,
      cwd: FOLDER,
      env: this.#env(),
      onLine: (line) => {
        lines.push(line);
        onLine?.("compose", line);
      },
    });
    const onAbort = () => child.kill("SIGTERM");
    signal?.addEventListener("abort", onAbort);
    const timer = setTimeout(onAbort, UP_LIMIT_MS);
    const { code } = await child.exited;
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    signal?.throwIfAborted();
    if (code === 0) return;
    const result: RunResult = { code, stdout: lines.join("\n"), stderr: "" };
    throw dockerFailure(args, result);
  }

  #args(words: readonly string[]): readonly string[] {
    const override = this.#override;
    return [
      ...[...COMPOSE_WORDS, "--project-name", this.name],
      ...(override === undefined ? [] : ["--file", override]),
      ...words,
    ];
  }

  #env(): Readonly<Record<string, string>> {
    const { ports, images = this.name } = this.#options;
    if (ports === undefined) return { IMAGE_PREFIX: images };
    return {
      IMAGE_PREFIX: images,
      GRPC_PORT: String(ports.grpc),
      L4_PORT: String(ports.l4),
      ADMIN_PORT: String(ports.admin),
    };
  }

  async #writeOverride(): Promise<void> {
    const change = this.#change;
    if (change === undefined || Object.keys(change).length === 0) return;
    const file = await readComposeFile();
    const folder = `${FOLDER}.tools/compose`;
    await Deno.mkdir(folder, { recursive: true });
    this.#override = `${folder}/${this.name}.json`;
    const bundle = `${folder}/${this.name}.js`;
    if (change.serverProgram !== undefined) {
      await bundleProgram(change.serverProgram, bundle);
    }
    await Deno.writeTextFile(
      this.#override,
      JSON.stringify(overrideOf(file, change, bundle)),
    );
  }

  async #removeOverride(): Promise<void> {
    if (this.#override === undefined) return;
    await Deno.remove(this.#override);
    if (this.#change?.serverProgram !== undefined) {
      await Deno.remove(this.#override.replace(/json$/, "js"));
    }
    this.#override = undefined;
  }
}

async function readComposeFile(): Promise<ComposeFile> {
  const path = `${FOLDER}compose.yaml`;
  const text = await readText(path, "run it in the project's folder");
  return parseYaml(text, path) as ComposeFile;
}

/**
 * The override file for compose.yaml. Envoy's configuration is passed in its
 * command: a file would have to be readable by the container's user.
 *
 * @param bundle The bundle of the `serverProgram`, if there is one.
 */
export function overrideOf(
  file: ComposeFile,
  { config, concurrency, serverFlags = [], serverProgram }: ServiceChange,
  bundle = "",
): unknown {
  const command = (service: string) => [
    ...file.services[service]?.command ?? [],
  ];
  const envoy = command(SERVICES.envoy);
  if (config !== undefined) {
    const at = envoy.indexOf("--config-path");
    envoy.splice(at, 2, "--config-yaml", JSON.stringify(config));
  }
  if (concurrency !== undefined) {
    envoy[envoy.indexOf("--concurrency") + 1] = String(concurrency);
  }
  const server = [...command(SERVICES.server), ...serverFlags];
  return {
    services: {
      [SERVICES.envoy]: { command: envoy.map(withoutVariables) },
      [SERVICES.server]: {
        command: server.map(withoutVariables),
        ...(serverProgram === undefined ? {} : bundleService(bundle)),
      },
    },
  };
}

/**
 * One of our programs in the runtime's image. Its memory limit is higher than a
 * server's, since its memory is what an experiment measures.
 */
function bundleService(bundle: string): object {
  return {
    image: `denoland/deno:debian-${denoJson.toolVersions.deno}`,
    entrypoint: ["deno", "run", "--quiet", "--allow-all", "/server.js"],
    volumes: [`${bundle}:/server.js:ro`],
    environment: { DENO_DIR: "/tmp/deno" },
    tmpfs: ["/tmp"],
    mem_limit: "1g",
  };
}

/** Compose expands variables in words; "$$" is a dollar sign. */
function withoutVariables(word: string): string {
  return word.replaceAll("$", "$$$$");
}
