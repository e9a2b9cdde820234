/** The command `up`: a stack and a client in front of it, until Ctrl-C. */
import { EXIT_CODES, Failure, messageOf } from "../core/errors.ts";
import { type FlagValues, helpText, parseFlags } from "../core/flags.ts";
import { readText } from "../io/files.ts";
import { listenForStop, whenAborted } from "../io/program.ts";
import { ask, print } from "../io/terminal.ts";
import { findTool } from "../io/tools.ts";
import {
  awaitExit,
  type Child,
  type ExitStatus,
  exitWords,
  killAllChildren,
  onChildrenChange,
  startChild,
} from "../io/child.ts";
import { ComposeStack } from "../stack/compose.ts";
import { demoProject } from "../stack/compose_project.ts";
import { type EnvoyConfig, parseEnvoyConfig } from "../stack/envoy_config.ts";
import { watchEnvoy } from "../stack/envoy_watch.ts";
import { makeWay } from "../stack/leftovers.ts";
import { NativeStack } from "../stack/native.ts";
import { isAccessLog, say } from "../stack/output.ts";
import { programCommand, startFailure } from "../stack/programs.ts";
import { RunFile } from "../stack/run_file.ts";
import type { Stack } from "../stack/stack.ts";
import { requireDistinctPorts, UP_FLAGS } from "./up_flags.ts";

const ABOUT = `Starts gRPC servers, Envoy in front of them and a client that \
calls once a second, all on
this machine, as processes or in containers. Ctrl-C stops everything and leaves nothing behind.`;

/** Long enough to see Envoy take the server out, short enough to wait for. */
const RESTART_DELAY_MS = 3000;

/** The client waits for its last calls, which end with their deadline. */
const CLIENT_STOP_LIMIT_MS = 5000;

/**
 * Runs the command.
 *
 * @param argv The arguments behind "up".
 * @returns The exit code.
 * @throws {Failure} When a flag is wrong, or a part cannot start or ends.
 */
export async function up(argv: readonly string[]): Promise<number> {
  const { values: flags, help } = parseFlags(UP_FLAGS, argv);
  if (help) {
    print(helpText("up [flags]", ABOUT, UP_FLAGS));
    return 0;
  }
  if (flags.docker && flags.serverPort !== UP_FLAGS.serverPort.default) {
    throw new Failure(
      "usage",
      `--server-port ${flags.serverPort} has no meaning with --docker, where ` +
        "each server has a container of its own; leave one of them out",
    );
  }
  const { grpcPort, adminPort, serverPort } = flags;
  requireDistinctPorts(
    flags.docker
      ? { grpcPort, adminPort }
      : { grpcPort, adminPort, serverPort },
  );
  const stop = listenForStop(() => {
    killAllChildren();
    if (!flags.docker) return;
    say("up", "containers may be left; `deno task down` removes them");
  });
  const parts = new Parts(flags, stop.signal);
  try {
    await parts.start();
    const end = await Promise.race([whenAborted(stop.signal), parts.ended]);
    if (end instanceof Failure) throw end;
    say("up", `stopping on ${end}`);
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 0; // Interrupted while it started.
    throw error;
  } finally {
    await parts.stop();
  }
}

/** Variables that tell the client to end by itself. */
const CLIENT_LIMITS = ["CLIENT_COUNT", "CLIENT_DURATION_S"];

/** Enough for a sentence about each of its variables. */
const CLIENT_LINES_KEPT = 10;

/** What `up` has started, and what it does when a part ends by itself. */
class Parts {
  readonly #flags: FlagValues<typeof UP_FLAGS>;
  readonly #signal: AbortSignal;
  readonly #ended = Promise.withResolvers<Failure | string>();
  #stack: Stack | undefined;
  #client: Child | undefined;
  #runFile: RunFile | undefined;

  constructor(flags: FlagValues<typeof UP_FLAGS>, signal: AbortSignal) {
    this.#flags = flags;
    this.#signal = signal;
  }

  /** Resolves when a part has ended that the others need, or with the work. */
  get ended(): Promise<Failure | string> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const flags = this.#flags;
    const config = flags.configFile === "" ? undefined : parseEnvoyConfig(
      await readText(flags.configFile, "name a file with --config"),
      flags.configFile,
    );
    const ports = [flags.grpcPort, flags.grpcPort + 1, flags.adminPort];
    if (!flags.docker) ports.push(flags.serverPort);
    await makeWay(ports, {
      ...flags,
      ask: (question) => ask(question, this.#signal),
    });
    if (flags.docker) {
      this.#stack = await this.#startContainers(config);
      this.#sayReady(this.#stack);
      return;
    }
    this.#noteRun(new RunFile(ports));
    this.#stack = await this.#startNative(config ?? parseEnvoyConfig());
    this.#sayReady(this.#stack);
    if (!flags.noClient) this.#startClient(this.#stack.endpoint);
  }

  async #startNative(config: EnvoyConfig): Promise<Stack> {
    const flags = this.#flags;
    const envoy = await findTool("envoy", {
      onProgress: (line) => say("up", line),
      signal: this.#signal,
    });
    return await NativeStack.start({
      ...flags,
      l4Port: flags.grpcPort + 1,
      envoyPath: envoy.path,
      config,
      configName: flags.configFile || undefined,
      signal: this.#signal,
      onLine: (program, line) => this.#sayLine(program, line),
      onCrash: (program, status) => this.#onCrash(program, status),
    });
  }

  /** The client is one of the containers. */
  async #startContainers(config: EnvoyConfig | undefined): Promise<Stack> {
    const flags = this.#flags;
    return await ComposeStack.start({
      project: await demoProject(),
      servers: flags.servers,
      grpcPort: flags.grpcPort,
      l4Port: flags.grpcPort + 1,
      adminPort: flags.adminPort,
      withClient: !flags.noClient,
      ...(config === undefined ? {} : { config }),
      configName: flags.configFile || undefined,
      signal: this.#signal,
      onLine: (program, line) => {
        // Of what the builder prints, the headline of each step; and not each
        // time that it could build in another way.
        if (!/^(?:#\d+ (?!\[)|$)|Bake/.test(line)) this.#sayLine(program, line);
      },
      onCrash: (program, status) => this.#onCrash(program, status),
    });
  }

  /** Stops everything in order: who calls, who answers, who balances. */
  async stop(): Promise<void> {
    this.#client?.kill("SIGTERM");
    if (this.#client !== undefined) {
      await awaitExit(this.#client, CLIENT_STOP_LIMIT_MS);
    }
    await this.#stack?.close();
    await this.#runFile?.remove();
  }

  /** The next `up` is told what this one has left, should it be killed. */
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
    if (this.#flags.accessLog || !isAccessLog(program, line)) {
      say(program, line);
    }
  }

  #sayReady(stack: Stack): void {
    const count = stack.servers().length;
    say("up", `ready: ${count} servers, all healthy`);
    say("up", `  gRPC, balanced per call        ${stack.endpoint}`);
    say("up", `  gRPC, balanced per connection  ${stack.l4Endpoint}`);
    say("up", `  Envoy's admin page             ${stack.admin.url}`);
    void watchEnvoy(stack.admin, (line) => say("up", line), {
      signal: this.#signal,
    });
  }

  #startClient(endpoint: string): void {
    let lines: string[] = [];
    const client = startChild({
      ...programCommand("client", ["--target", endpoint]),
      onLine: (line) => {
        lines = [...lines, line].slice(-CLIENT_LINES_KEPT);
        say("client", line);
      },
    });
    this.#client = client;
    void client.exited.then((status) => {
      const limit = CLIENT_LIMITS.find((name) => Deno.env.get(name));
      if (status.code === 0 && limit !== undefined) {
        this.#ended.resolve(`the client's last call, as ${limit} is set`);
      } else if (status.code === EXIT_CODES.usage) {
        this.#ended.resolve(startFailure("client", "client", status, lines));
      } else this.#fail("client", status);
    });
  }

  #onCrash(program: string, status: ExitStatus): void {
    if (program === "envoy") {
      this.#fail(program, status);
      return;
    }
    if (this.#signal.aborted) return;
    const seconds = RESTART_DELAY_MS / 1000;
    say(
      program,
      `ended unexpectedly (${exitWords(status)}); it starts again ` +
        `within ${seconds} s`,
    );
    setTimeout(() => void this.#restart(program), RESTART_DELAY_MS);
  }

  async #restart(program: string): Promise<void> {
    if (this.#signal.aborted) return;
    try {
      await this.#stack?.start(program);
    } catch (error) {
      this.#ended.resolve(Failure.from(error));
    }
  }

  #fail(program: string, status: ExitStatus): void {
    if (this.#signal.aborted) return;
    this.#ended.resolve(
      new Failure(
        "failed",
        `${program} ended unexpectedly (${exitWords(status)}), so everything ` +
          "was stopped; its last lines are above",
      ),
    );
  }
}
