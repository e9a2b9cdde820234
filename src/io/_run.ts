/** Runs a piece of a program in a process of its own, for tests. */

/** A piece ends by itself if its failed test left it running. */
const LIMIT = "Deno.unrefTimer(setTimeout(() => Deno.exit(99), 30_000));";

/** A started piece; what it prints is read as it comes. */
export interface Piece {
  readonly process: Deno.ChildProcess;
  /** Resolves when it has printed `text` to standard output. */
  readonly untilPrinted: (text: string) => Promise<void>;
  /** Closes our end of its standard output. */
  readonly closeOutput: () => Promise<void>;
  /** Resolves when it has ended. */
  readonly end: () => Promise<{
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/**
 * Starts code that may use the exports of program.ts and terminal.ts. Its
 * output has no colours, whatever terminal the test runs in.
 */
export function startPiece(
  code: string,
  env: Readonly<Record<string, string>> = {},
): Piece {
  const imports = ["program", "terminal"].map((name) => {
    const url = new URL(`./${name}.ts`, import.meta.url);
    return `import * as ${name} from "${url}";`;
  });
  const failure = new URL("../core/errors.ts", import.meta.url);
  const process = new Deno.Command("env", {
    args: [
      // The tests themselves may have been started with nohup.
      ...["--default-signal=HUP", "--unset=GRPC_DEMO_NOHUP"],
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...[Deno.execPath(), "eval", "--no-lock", "--ext=ts"],
      [...imports, `import { Failure } from "${failure}";`, LIMIT, code]
        .join("\n"),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  const stderr = new Response(process.stderr).text();
  let stdout = "";
  const readMore = async () => {
    const { value, done } = await reader.read();
    stdout += value ?? "";
    return !done;
  };
  return {
    process,
    untilPrinted: async (text) => {
      while (!stdout.includes(text)) {
        if (!await readMore()) {
          throw new Error(`Ended before "${text}": ${stdout}${await stderr}`);
        }
      }
    },
    closeOutput: () => reader.cancel(),
    end: async () => {
      while (await readMore());
      const { code } = await process.status;
      return { code, stdout, stderr: await stderr };
    },
  };
}
