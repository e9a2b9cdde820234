/** Chooses a cluster, and runs kubectl's commands in one namespace of it. */
import { Failure } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { commandWords, projectFolder } from "../io/build.ts";
import { type Child, startChild } from "../io/child.ts";
import { lastLine, type RunResult, runToEnd } from "../io/processes.ts";

/** A cluster answers within tens of milliseconds, a remote one in a second. */
const ANSWER_LIMIT_MS = 20_000;

/** How long kubectl waits for one answer of the cluster. */
const REQUEST_TIMEOUT = "--request-timeout=10s";

/** A longer reason is cut: it may quote a whole object. */
const REASON_UNITS_MAX = 300;

/** How a command is run. */
interface CommandOptions {
  /** How long it may take (default 20 s). */
  readonly limitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** kubectl for one context and namespace. */
export class Kubectl {
  readonly context: string;
  readonly namespace: string;
  readonly #path: string;

  /** @param path Of the executable. */
  constructor(path: string, context: string, namespace: string) {
    this.#path = path;
    this.context = context;
    this.namespace = namespace;
  }

  /**
   * Runs a command that must succeed.
   *
   * @returns Its standard output.
   * @throws {Failure} `environment` with kubectl's reason when it fails.
   */
  async run(
    args: readonly string[],
    options: CommandOptions = {},
  ): Promise<string> {
    const result = await this.tryTo(args, options);
    if (result.code !== 0) throw this.failure(args, result);
    return result.stdout;
  }

  /** Like {@linkcode Kubectl.run}, but a bad exit code is a result. */
  tryTo(
    args: readonly string[],
    { limitMs = ANSWER_LIMIT_MS, signal }: CommandOptions = {},
  ): Promise<RunResult> {
    return runToEnd(this.#path, [...this.#place(), REQUEST_TIMEOUT, ...args], {
      timeoutMs: limitMs,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /**
   * Like {@linkcode Kubectl.tryTo}, for a command that reads objects.
   *
   * @param objects Written to a file for kubectl, which is then removed.
   */
  async tryWith(
    objects: readonly object[],
    args: readonly string[],
    options: CommandOptions = {},
  ): Promise<RunResult> {
    const [only] = objects;
    const content = objects.length === 1
      ? only
      : { apiVersion: "v1", kind: "List", items: objects };
    const dir = `${projectFolder()}.tools`;
    const file = await Deno.makeTempFile({ dir, prefix: "kubectl-" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(content));
      return await this.tryTo([...args, `--filename=${file}`], options);
    } finally {
      await Deno.remove(file);
    }
  }

  /** Starts a command that goes on: a watch, a log, a forwarded port. */
  start(args: readonly string[], onLine: (line: string) => void): Child {
    return startChild({
      command: this.#path,
      args: [...this.#place(), ...args],
      onLine,
    });
  }

  /** The failure of a command that ended badly. */
  failure(args: readonly string[], result: RunResult): Failure {
    const verbs = args.slice(0, 2).filter((word) => !word.startsWith("-"));
    return new Failure(
      "environment",
      `"kubectl ${verbs.join(" ")}" failed in context ` +
        `${JSON.stringify(this.context)}: ${reasonOf(result)}; correct that ` +
        "in the cluster, or name another with --context",
    );
  }

  #place(): readonly string[] {
    return [`--context=${this.context}`, `--namespace=${this.namespace}`];
  }
}

/** kubectl's reason, in one line without its "Error from server (…): ". */
export function reasonOf(result: RunResult): string {
  const line = lastLine(result)
    .replace(/^(error: )?(Error from server \(\w+\): )?/i, "")
    .replace(/^error when \w+ing "[^"]*": /, "");
  return printable(line, REASON_UNITS_MAX);
}

/**
 * Chooses the context: the named one, or the only one that there is.
 *
 * @param path Of kubectl's executable.
 * @param asked The context that was asked for; "" if none was.
 * @throws {Failure} `environment` when there is none, it does not exist, there
 * are several and none was asked for, or its cluster does not answer.
 */
export async function chooseContext(
  path: string,
  asked: string,
  signal?: AbortSignal,
): Promise<string> {
  const options = {
    timeoutMs: ANSWER_LIMIT_MS,
    ...(signal === undefined ? {} : { signal }),
  };
  const listed = await runToEnd(
    path,
    ["config", "get-contexts", "--output=name"],
    options,
  );
  if (listed.code !== 0) {
    throw new Failure(
      "environment",
      `kubectl cannot read its configuration: ${reasonOf(listed)}; correct ` +
        "the file that KUBECONFIG names, or ~/.kube/config",
    );
  }
  const known = listed.stdout.split("\n").filter((line) => line !== "");
  const names = printable(known.join(", "), REASON_UNITS_MAX);
  const [only] = known;
  if (only === undefined) {
    throw new Failure(
      "environment",
      "kubectl knows no cluster; name a file with one in KUBECONFIG, or run " +
        `\`${commandWords()} up\` without --kubernetes, which needs none`,
    );
  }
  if (asked === "" && known.length > 1) {
    throw new Failure(
      "usage",
      `kubectl knows several contexts; name the one to use with --context: ${names}`,
    );
  }
  const context = asked === "" ? only : asked;
  if (!known.includes(context)) {
    throw new Failure(
      "usage",
      `kubectl has no context ${JSON.stringify(context)}; it knows ${names}`,
    );
  }
  const answer = await runToEnd(path, [
    ...[
      `--context=${context}`,
      "--request-timeout=5s",
      "get",
      "--raw=/version",
    ],
  ], options);
  if (answer.code === 0) return context;
  throw new Failure(
    "environment",
    `The cluster of context ${JSON.stringify(context)} does not answer: ` +
      `${reasonOf(answer)}; start it, or name another with --context`,
  );
}
