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

/**
 * Calls `listener` once when the reader of standard output has gone away
 * (`… | head`). Without a listener the program ends quietly, with exit code 0.
 */
export function onOutputClosed(listener: () => void): void {
  onClosed = listener;
}

/**
 * Writes one line to standard output.
 *
 * @throws {Failure} `environment` when it cannot be written, for example to a
 * full disk.
 */
export function print(line: string): void {
  if (isClosed) return;
  try {
    writeAll(Deno.stdout, `${line}\n`);
  } catch (error) {
    if (!isReaderGone(error)) throw cannotPrint(error);
    isClosed = true;
    if (onClosed === undefined) Deno.exit(0);
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

/** Colours `text` on a terminal; leaves it alone in a pipe. */
export function paint(colour: Colour, text: string): string {
  return hasColours() ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}
