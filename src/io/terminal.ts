/** The only place that writes to the terminal. */
import { Failure, messageOf } from "../core/errors.ts";

const encoder = new TextEncoder();

function writeAll(stream: typeof Deno.stdout, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

/** Whether a write failed as the reader has gone: a pipe's, or a terminal. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && "code" in error && error.code === "EIO";
}

let onClosed: (() => void) | undefined;
let isClosed = false;
let failure: Failure | undefined;

/**
 * Calls `listener` once when standard output takes no more: its reader has
 * gone away (`… | head`), or it cannot be written (a full disk). Later lines
 * are dropped. Without a listener the program ends quietly, with exit code 0,
 * when its reader has gone, and print() fails when it cannot be written.
 */
export function onOutputClosed(listener: () => void): void {
  onClosed = listener;
}

/** Why standard output could not be written, if that has happened. */
export function outputFailure(): Failure | undefined {
  return failure;
}

/**
 * Writes one line to standard output.
 *
 * @throws {Failure} `environment` when it cannot be written, for example to a
 * full disk, and nobody listens for that.
 */
export function print(line: string): void {
  if (isClosed) return;
  try {
    writeAll(Deno.stdout, `${line}\n`);
  } catch (error) {
    if (!isReaderGone(error)) failure = cannotPrint(error);
    if (onClosed === undefined) {
      if (failure !== undefined) throw failure;
      Deno.exit(0);
    }
    isClosed = true;
    onClosed();
  }
}

function cannotPrint(error: unknown): Failure {
  return new Failure(
    "environment",
    `Cannot write to standard output: ${messageOf(error)}; ` +
      "send it to a place that takes it",
    { cause: error },
  );
}

/**
 * Asks a question whose answer is yes or no.
 *
 * @param signal Gives up, which counts as no.
 * @returns Undefined when there is no terminal to ask on.
 */
export async function ask(
  question: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return undefined;
  if (signal.aborted) return false;
  writeAll(Deno.stdout, `${question} [y/N] `);
  const reader = Deno.stdin.readable.getReader();
  const given = new Promise<undefined>((resolve) =>
    signal.addEventListener("abort", () => resolve(undefined), { once: true })
  );
  const answer = await Promise.race([reader.read(), given]);
  const text = new TextDecoder().decode(answer?.value ?? new Uint8Array());
  return /^y(es)?\s*$/i.test(text);
}

/** Writes one line to standard error, if that is possible. */
export function printError(line: string): void {
  try {
    writeAll(Deno.stderr, `${line}\n`);
  } catch {
    // There is nowhere left to say it.
  }
}

/** The colours that tell programs apart, as ANSI foreground codes. */
const COLOURS = {
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  grey: 90,
} as const;

/** A colour's name. */
export type Colour = keyof typeof COLOURS;

/** Whether standard output is a terminal that shows colours. */
export function hasColours(): boolean {
  return !Deno.noColor && Deno.stdout.isTerminal();
}

/** The columns of the terminal; without one, lines may have any length. */
export function columns(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}

/** Colours `text` on a terminal; leaves it alone in a pipe. */
export function paint(colour: Colour, text: string): string {
  return hasColours() ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}
