/** The only place that writes to the terminal. */
import { Failure, messageOf } from "../core/errors.ts";

const encoder = new TextEncoder();

function writeAll(stream: typeof Deno.stdout, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}

/** Whether a write failed because the pipe's reader or the terminal is gone. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && "code" in error && error.code === "EIO";
}

let onClosed: (() => void) | undefined;
let isClosed = false;
let failure: Failure | undefined;

/**
 * Calls `listener` once when standard output can no longer be written: its
 * reader is gone (`… | head`), or the disk is full. Later lines are dropped.
 * Without a listener, the program ends quietly with exit code 0 when its reader
 * is gone, and print() fails on other errors.
 */
export function onOutputClosed(listener: () => void): void {
  onClosed = listener;
}

/** Why standard output could not be written, if it could not. */
export function outputFailure(): Failure | undefined {
  return failure;
}

/**
 * Writes one line to standard output.
 *
 * @throws {Failure} `environment` when it cannot be written, for example to a
 * full disk, and there is no listener.
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
      "redirect it elsewhere",
    { cause: error },
  );
}

/**
 * Asks a yes-or-no question.
 *
 * @param signal Aborting counts as no.
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

/** Writes one line to standard error, if possible. */
export function printError(line: string): void {
  try {
    writeAll(Deno.stderr, `${line}\n`);
  } catch {
    // There is nowhere left to report it.
  }
}

/** The colours that distinguish programs, as ANSI foreground codes. */
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

/** Colours `text` on a terminal; in a pipe it stays plain. */
export function paint(colour: Colour, text: string): string {
  return hasColours() ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}
