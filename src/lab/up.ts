/** The command `up`: a stack and callers in front of it, until Ctrl-C. */
import { Failure, messageOf } from "../core/errors.ts";
import { type FlagValues, helpText, parseFlags } from "../core/flags.ts";
import { commandWords } from "../io/build.ts";
import {
  type ExitStatus,
  exitWords,
  killAllChildren,
  onChildrenChange,
} from "../io/child.ts";
import { listenForStop, whenAborted } from "../io/program.ts";
import { ask, print } from "../io/terminal.ts";
import { findTool } from "../io/tools.ts";
import { LOAD_AT_FIRST } from "../control/callers.ts";
import { Control } from "../control/control.ts";
import type { LoadState } from "../control/state.ts";
import { nativeStacks } from "../experiment/stacks.ts";
import type { Lesson } from "../lesson/lesson.ts";
import { LessonDesk } from "../page/lessons.ts";
import { type ServedPage, servePage } from "../page/serve.ts";
import { ComposeStack } from "../stack/compose.ts";
import { demoProject } from "../stack/compose_project.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import { watchEnvoy } from "../stack/envoy_watch.ts";
import { envoyYamlForKubernetes } from "../stack/envoy_kubernetes.ts";
import { chooseContext } from "../stack/kubectl.ts";
import { KubernetesStack } from "../stack/kubernetes.ts";
import { UP_NAMESPACE } from "../stack/namespace.ts";
import { makeWay } from "../stack/leftovers.ts";
import { NATIVE_SERVERS_MAX, NativeStack } from "../stack/native.ts";
import { isAccessLog, say } from "../stack/output.ts";
import { endFailure } from "../stack/programs.ts";
import { RunFile } from "../stack/run_file.ts";
import type { Stack } from "../stack/stack.ts";
import { listenForKeys } from "./keys.ts";
import { type OwnConfig, projectConfig, readOwnConfig } from "./own_config.ts";
import { requireFittingFlags, UP_FLAGS } from "./up_flags.ts";
import { CallPrinter } from "./up_output.ts";

const ABOUT = `Starts gRPC servers, Envoy in front of them and a client that \
calls once a second, all on
this machine, as processes or in containers, or on Kubernetes. Ctrl-C stops everything and leaves nothing behind.`;

/** Variables that limit the client's run. */
const CLIENT_LIMITS = ["CLIENT_COUNT", "CLIENT_DURATION_S"];

/** Each query starts a program in a container. */
const COMPOSE_COUNTS_INTERVAL_MS = 5000;

/** A demo needs no more containers. */
const CONTAINERS_MAX = 32;

/**
 * Runs the command.
 *
 * @param lessons Those that the live page has.
 * @param argv The arguments after "up".
 * @returns The exit code.
 * @throws {Failure} When a flag is wrong, or a part cannot start or ends
 * unexpectedly.
 */
export async function up(
  lessons: readonly Lesson[],
  argv: readonly string[],
): Promise<number> {
  const { values: flags, help } = parseFlags(UP_FLAGS, argv);
  if (help) {
    print(helpText("up [flags]", ABOUT, UP_FLAGS));
    return 0;
  }
  requireFittingFlags(flags);
  const stop = listenForStop(() => {
    killAllChildren();
    if (flags.docker) {
      say(
        "up",
        `containers may be left; \`${commandWords()} down\` removes them`,
      );
    } else if (flags.kubernetes) {
      const rest = `\`${commandWords()} down --kubernetes\` removes it`;
      say("up", `the namespace "${UP_NAMESPACE}" may be left; ${rest}`);
    }
  });
  const parts = new Parts(
    flags,
    lessons,
    stop.signal,
    () => stop.request("q"),
  );
  try {
    await parts.start();
    const end = await Promise.race([whenAborted(stop.signal), parts.ended]);
    if (end instanceof Failure) throw end;
    say("up", `stopping on ${end}`);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0; // Interrupted during the start.
    throw error;
  } finally {
    await parts.stop();
  }
}

/** The file that has what envoyYamlForKubernetes() gives. */
const KUBERNETES_YAML = "deploy/kubernetes/base/generated/envoy.yaml";

/** The parts that `up` has started, and what happens when one ends. */
class Parts {
  readonly #flags: FlagValues<typeof UP_FLAGS>;
  readonly #lessons: readonly Lesson[];
  readonly #signal: AbortSignal;
  readonly #quit: () => void;
  readonly #ended = Promise.withResolvers<Failure | string>();
  readonly #calls = new CallPrinter(() => this.#control?.load);
  #stack: Stack | undefined;
  #control: Control | undefined;
  #page: ServedPage | undefined;
  #runFile: RunFile | undefined;
  #letGoOfKeys = () => {};

  constructor(
    flags: FlagValues<typeof UP_FLAGS>,
    lessons: readonly Lesson[],
    signal: AbortSignal,
    quit: () => void,
  ) {
    this.#flags = flags;
    this.#lessons = lessons;
    this.#signal = signal;
    this.#quit = quit;
  }

  /** Resolves when the work is done, or with the failure of a vital part. */
  get ended(): Promise<Failure | string> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const flags = this.#flags;
    const own = flags.kubernetes
      ? projectConfig(envoyYamlForKubernetes(), KUBERNETES_YAML)
      : await readOwnConfig(flags.configFile, { isDocker: flags.docker });
    const { config } = own;
    own.replaced.forEach((line) => say("up", `replaced: ${line}`));
    const ports = [flags.grpcPort + 1, flags.adminPort];
    if (!flags.kubernetes) ports.push(flags.grpcPort);
    if (!flags.docker && !flags.kubernetes) ports.push(flags.serverPort);
    await makeWay(ports, {
      ...flags,
      ask: (question) => ask(question, this.#signal),
    });
    const runFile = new RunFile(ports);
    this.#noteRun(runFile);
    this.#stack = flags.docker
      ? await this.#startContainers(config)
      : flags.kubernetes
      ? await this.#startPods()
      : await this.#startNative(config, runFile.baseId);
    this.#startControl(this.#stack, own);
  }

  async #startNative(config: EnvoyConfig, baseId: number): Promise<Stack> {
    const flags = this.#flags;
    const envoy = await findTool("envoy", {
      onProgress: (line) => say("up", line),
      signal: this.#signal,
    });
    return await NativeStack.start({
      ...flags,
      tls: flags.isTls ? {} : undefined,
      l4Port: flags.grpcPort + 1,
      envoyPath: envoy.path,
      config,
      baseId,
      allowFaults: true,
      configName: flags.configFile || undefined,
      signal: this.#signal,
      onLine: (program, line) => this.#sayLine(program, line),
      onCrash: (program, status) => this.#onCrash(program, status),
    });
  }

  /** The client is one of the containers. */
  async #startContainers(config: EnvoyConfig): Promise<Stack> {
    const flags = this.#flags;
    return await ComposeStack.start({
      project: await demoProject(),
      servers: flags.servers,
      grpcPort: flags.grpcPort,
      l4Port: flags.grpcPort + 1,
      adminPort: flags.adminPort,
      withClient: !flags.noClient,
      allowFaults: true,
      // Compose mounts the unchanged envoy.yaml.
      ...(flags.configFile === "" ? {} : { config }),
      configName: flags.configFile || undefined,
      signal: this.#signal,
      onLine: (program, line) => {
        // Only the headline of each build step, without the hints about Bake.
        if (!/^(?:#\d+ (?!\[)|$)|Bake/.test(line)) this.#sayLine(program, line);
      },
      onCrash: (program, status) => this.#onCrash(program, status),
    });
  }

  async #startPods(): Promise<Stack> {
    const flags = this.#flags;
    const options = {
      onProgress: (line: string) => say("up", line),
      signal: this.#signal,
    };
    const { path } = await findTool("kubectl", options);
    const context = await chooseContext(path, flags.context, this.#signal);
    say("up", `starting in namespace ${UP_NAMESPACE} of context ${context}`);
    return await KubernetesStack.start({
      kubectlPath: path,
      context,
      namespace: UP_NAMESPACE,
      servers: flags.servers,
      l4Port: flags.grpcPort + 1,
      adminPort: flags.adminPort,
      allowFaults: true,
      signal: this.#signal,
      onLine: (program, line) => this.#sayLine(program, line),
      onCrash: (program, status) => this.#onCrash(program, status),
    });
  }

  #startControl(stack: Stack, { config, lines }: OwnConfig): void {
    const flags = this.#flags;
    const isQuiet = flags.noClient || flags.docker;
    const asked = Number(Deno.env.get("CLIENT_RATE"));
    const ratePerS = isQuiet ? 0 : asked || LOAD_AT_FIRST.ratePerS;
    const load: LoadState = { ...LOAD_AT_FIRST, ratePerS };
    const control = new Control({
      stack,
      stackName: flags.docker
        ? "compose"
        : flags.kubernetes
        ? "kubernetes"
        : "native",
      ...{ config, lines: flags.noPage ? [] : lines() },
      serversMax: flags.docker || flags.kubernetes
        ? CONTAINERS_MAX
        : NATIVE_SERVERS_MAX,
      load,
      ...(flags.docker ? { countsIntervalMs: COMPOSE_COUNTS_INTERVAL_MS } : {}),
      onEvent: (listener, event) => this.#calls.note(listener, event),
      onCallersEnd: (why) => this.#onCallersEnd(why),
      onFailure: (failure) => this.#ended.resolve(failure),
    });
    this.#control = control;
    control.addViewer({
      story: (story) => this.#calls.tellStory(story),
      second: () => this.#calls.nextSecond(),
    });
    if (!flags.noPage) {
      const desk = new LessonDesk(this.#lessons, async (signal) => ({
        stacks: await nativeStacks((line) => say("up", line), signal),
        signal,
      }));
      this.#page = servePage(control, desk, flags.pagePort);
    }
    this.#sayReady(stack);
    control.start();
    this.#letGoOfKeys = listenForKeys(control, {
      url: this.#page?.url,
      quit: this.#quit,
      say: (line) => say("up", line),
    });
    const { url, token } = this.#page ?? {};
    if (url !== undefined && token !== undefined) {
      void this.#runFile?.notePage({ url, token }).catch(() => {});
    }
  }

  /** Stops everything in order: callers, servers, Envoy. */
  async stop(): Promise<void> {
    this.#letGoOfKeys();
    await this.#control?.close();
    await this.#page?.close();
    await this.#stack?.close();
    await this.#runFile?.remove();
    if (this.#control !== undefined) say("up", "stopped in order");
    this.#calls.summaryLines().forEach((line) => say("client", line));
  }

  /** Tells the next `up` what this one leaves behind if it is killed. */
  #noteRun(file: RunFile): void {
    this.#runFile = file;
    let isSaid = false;
    onChildrenChange((pids) => {
      file.note(pids).catch((error) => {
        if (!isSaid) say("up", messageOf(error));
        isSaid = true;
      });
    });
  }

  #sayLine(program: string, line: string): void {
    // Details of draining matter when one server stops, not when all do.
    if (this.#signal.aborted && program.startsWith("server-")) return;
    if (isAccessLog(program, line)) {
      this.#control?.noteEnvoyLine(line);
      if (!this.#flags.accessLog) return;
    }
    say(program, line);
  }

  #sayReady(stack: Stack): void {
    const count = stack.servers().length;
    say("up", `ready: ${count} servers, all healthy`);
    say("up", `  gRPC, balanced per call        ${stack.endpoint}`);
    say("up", `  gRPC, balanced per connection  ${stack.l4Endpoint}`);
    say("up", `  Envoy's admin page             ${stack.admin.url}`);
    const { clientFolder } = stack.certificates ?? {};
    if (clientFolder !== undefined) {
      say("up", `  certificates for callers       ${clientFolder}`);
    }
    if (this.#page !== undefined) {
      say("up", `  live page                      ${this.#page.url}`);
    }
    void watchEnvoy(stack.admin, (line) => say("up", line), {
      signal: this.#signal,
      hasPredecessor: () => this.#control?.hasReplacedEnvoy ?? false,
    });
  }

  #onCallersEnd(why: Failure | "done"): void {
    if (this.#signal.aborted) return;
    const limit = CLIENT_LIMITS.find((name) => Deno.env.get(name));
    this.#ended.resolve(
      why === "done" ? `the client's last call, as ${limit} is set` : why,
    );
  }

  #onCrash(program: string, status: ExitStatus): void {
    if (this.#signal.aborted) return;
    if (program.startsWith("envoy-")) {
      say("up", `${program} ended unexpectedly (${exitWords(status)})`);
      return;
    }
    if (program !== "envoy") {
      this.#control?.noteCrash(program, status);
      return;
    }
    this.#ended.resolve(endFailure(program, status));
  }
}
