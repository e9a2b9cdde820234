/** Whole programs for tests: started as users start them, and accounted for. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The variable that marks every process of one run. */
const MARK = "GRPC_DEMO_TEST_RUN";

/** Building images takes two minutes; nothing that a test waits for takes more. */
const PRINTED_LIMIT_MS = 300_000;

/** A program that was started. */
export interface Run {
  readonly process: Deno.ChildProcess;
  /** What it has printed until now, both outputs together. */
  text(): string;
  /** The same, each output for itself. */
  outputs(): { readonly stdout: string; readonly stderr: string };
  /**
   * Resolves when it has printed what matches; rejects when it ends first, or
   * takes minutes: a test that waits for ever tells nobody why.
   */
  printed(pattern: RegExp): Promise<void>;
  /** Resolves with the exit code when it has ended. */
  readonly ended: Promise<number>;
  /** The processes of this run that still live, as "pid command". */
  leftovers(): readonly string[];
}

/** Starts one of the project's programs from source. */
export function startSource(
  program: "server" | "client" | "lab",
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Run {
  return start(
    Deno.execPath(),
    ["run", "-q", `-P=${program}`, `src/${program}.ts`, ...args],
    env,
  );
}

/**
 * Starts any command, in the project's folder unless another is given.
 *
 * @param stdin With "piped", the process's own `stdin` is to be written.
 */
export function start(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd: string = ROOT,
  stdin: "null" | "piped" = "null",
): Run {
  const mark = crypto.randomUUID();
  const process = new Deno.Command(command, {
    args: [...args],
    cwd,
    // Where a user would have typed it, and not where the tests were started.
    env: { INIT_CWD: cwd, ...env, [MARK]: mark, NO_COLOR: "1" },
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const texts = { stdout: "", stderr: "" };
  let onText = () => {};
  const read = async (name: keyof typeof texts) => {
    const stream = process[name].pipeThrough(new TextDecoderStream());
    for await (const chunk of stream) {
      text += chunk;
      texts[name] += chunk;
      onText();
    }
  };
  // A test that fails half-way leaves nothing running either.
  globalThis.addEventListener("unload", () => {
    for (const line of processesWith(`${MARK}=${mark}`)) {
      Deno.kill(Number(line.split(" ")[0]), "SIGKILL");
    }
  });
  const outputs = Promise.all([read("stdout"), read("stderr")]);
  const ended = process.status.then(async ({ code }) => {
    await outputs;
    return code;
  });
  return {
    process,
    text: () => text,
    outputs: () => ({ ...texts }),
    ended,
    printed: (pattern) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = `Nothing like ${pattern} in ${PRINTED_LIMIT_MS / 1000} s`;
      const timer = setTimeout(
        () => reject(new Error(`${late}:\n${text}`)),
        PRINTED_LIMIT_MS,
      );
      onText = () => {
        if (pattern.test(text)) resolve();
      };
      onText();
      void ended.then((code) =>
        reject(new Error(`Ended with ${code} before ${pattern}:\n${text}`))
      );
      return promise.finally(() => clearTimeout(timer));
    },
    leftovers: () => processesWith(`${MARK}=${mark}`),
  };
}

/** Starts any command in another folder. */
export function startIn(
  folder: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Run {
  return start("sh", ["-c", 'cd "$0" && exec "$@"', folder, ...words], {
    INIT_CWD: folder,
    ...env,
  });
}

/** Copies the project's files, as git knows them; gives their paths. */
export async function copyProject(folder: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard"],
    cwd: ROOT,
  }).output();
  const paths = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  for (const path of paths) {
    const target = join(folder, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    // A file that was removed and not committed yet is not there.
    await Deno.copyFile(join(ROOT, path), target).catch(() => {});
  }
  return paths;
}

/** The live processes whose environment has the entry. */
function processesWith(entry: string): readonly string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`);
      if (!environment.split("\0").includes(entry)) continue;
      const command = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      // An ended process that nobody has waited for yet has no command line.
      if (command !== "") {
        found.push(`${name} ${command.replaceAll("\0", " ")}`);
      }
    } catch {
      // It ended while it was looked at.
    }
  }
  return found;
}
