/** The command `up`: a stack and a client in front of it, until Ctrl-C. */
import { Failure } from "../core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  parseFlags,
  port,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { readText } from "../io/files.ts";
import { listenForStop, whenAborted } from "../io/program.ts";
import { onOutputClosed, print } from "../io/terminal.ts";
import { findTool } from "../io/tools.ts";
import {
  awaitExit,
  type Child,
  exitWords,
  killAllChildren,
  startChild,
} from "./child.ts";
import { ComposeStack } from "./compose.ts";
import { COMPOSE_PROJECT } from "./compose_project.ts";
import { type EnvoyConfig, parseEnvoyConfig } from "./envoy_config.ts";
import { watchEnvoy } from "./envoy_watch.ts";
import { NATIVE_SERVERS_MAX, NativeStack } from "./native.ts";
import { say } from "./output.ts";
import { programCommand } from "./programs.ts";
import type { ExitStatus, Stack } from "./stack.ts";

/** Port of every server of the native stack. */
const SERVER_PORT_DEFAULT = 8080;

const UP_FLAGS = {
  servers: {
    name: "servers",
    placeholder: "COUNT",
    help: "How many servers",
    default: 3,
    parse: wholeNumber(1, NATIVE_SERVERS_MAX),
  },
  docker: {
    name: "docker",
    help: "Run everything in containers, with Docker Compose",
    switch: true,
  },
  noClient: {
    name: "no-client",
    help: "Start Envoy and the servers only, ready for other clients",
    switch: true,
  },
  grpcPort: {
    name: "port",
    placeholder: "PORT",
    help: "Port for callers; the L4 listener is one above",
    default: 5000,
    parse: wholeNumber(1, 65_534),
  },
  adminPort: {
    name: "admin-port",
    placeholder: "PORT",
    help: "Port of Envoy's admin page",
    default: 9901,
    parse: port(),
  },
  serverPort: {
    name: "server-port",
    placeholder: "PORT",
    help: "Port of every server, on 127.0.0.1, 127.0.0.2, and so on",
    default: SERVER_PORT_DEFAULT,
    parse: port(),
  },
  configFile: {
    name: "config",
    placeholder: "FILE",
    help: "Envoy configuration to derive from; envoy.yaml unless given",
    default: "",
    parse: words(4096),
  },
} as const satisfies FlagRows;

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
  if (flags.docker && flags.serverPort !== SERVER_PORT_DEFAULT) {
    throw new Failure(
      "usage",
      `--server-port ${flags.serverPort} has no meaning with --docker, where ` +
        "each server has a container of its own; leave one of them out",
    );
  }
  const stop = listenForStop(() => {
    killAllChildren();
    if (!flags.docker) return;
    say("up", "containers may be left; `deno task down` removes them");
  });
  onOutputClosed(() => stop.request("output closed"));
  const parts = new Parts(flags, stop.signal);
  try {
    await parts.start();
    const end = await Promise.race([whenAborted(stop.signal), parts.failed]);
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

/** What `up` has started, and what it does when a part ends by itself. */
class Parts {
  readonly #flags: FlagValues<typeof UP_FLAGS>;
  readonly #signal: AbortSignal;
  readonly #failed = Promise.withResolvers<Failure>();
  #stack: Stack | undefined;
  #client: Child | undefined;

  constructor(flags: FlagValues<typeof UP_FLAGS>, signal: AbortSignal) {
    this.#flags = flags;
    this.#signal = signal;
  }

  /** Resolves when a part has ended that the others need. */
  get failed(): Promise<Failure> {
    return this.#failed.promise;
  }

  async start(): Promise<void> {
    const flags = this.#flags;
    const config = flags.configFile === "" ? undefined : parseEnvoyConfig(
      await readText(flags.configFile, "name a file with --config"),
      flags.configFile,
    );
    if (flags.docker) {
      this.#stack = await this.#startContainers(config);
      this.#sayReady(this.#stack);
      return;
    }
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
      signal: this.#signal,
      onLine: say,
      onCrash: (program, status) => this.#onCrash(program, status),
    });
  }

  /** The client is one of the containers. */
  #startContainers(config: EnvoyConfig | undefined): Promise<Stack> {
    const flags = this.#flags;
    return ComposeStack.start({
      project: COMPOSE_PROJECT,
      servers: flags.servers,
      grpcPort: flags.grpcPort,
      l4Port: flags.grpcPort + 1,
      adminPort: flags.adminPort,
      withClient: !flags.noClient,
      ...(config === undefined ? {} : { config }),
      signal: this.#signal,
      onLine: (program, line) => {
        // Of what the builder prints, the headline of each step; and not each
        // time that it could build in another way.
        if (!/^(?:#\d+ (?!\[)|$)|Bake/.test(line)) say(program, line);
      },
    });
  }

  /** Stops everything in order: who calls, who answers, who balances. */
  async stop(): Promise<void> {
    this.#client?.kill("SIGTERM");
    if (this.#client !== undefined) {
      await awaitExit(this.#client, CLIENT_STOP_LIMIT_MS);
    }
    await this.#stack?.close();
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
    const client = startChild({
      ...programCommand("client", ["--target", endpoint]),
      onLine: (line) => say("client", line),
    });
    this.#client = client;
    void client.exited.then((status) => this.#fail("client", status));
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
      `ended unexpectedly (${exitWords(status)}); it starts again in ` +
        `${seconds} s`,
    );
    setTimeout(() => void this.#restart(program), RESTART_DELAY_MS);
  }

  async #restart(program: string): Promise<void> {
    if (this.#signal.aborted) return;
    try {
      await this.#stack?.start(program);
    } catch (error) {
      this.#failed.resolve(Failure.from(error));
    }
  }

  #fail(program: string, status: ExitStatus): void {
    if (this.#signal.aborted) return;
    this.#failed.resolve(
      new Failure(
        "failed",
        `${program} ended unexpectedly (${exitWords(status)}), so everything ` +
          "was stopped; its last lines are above",
      ),
    );
  }
}
