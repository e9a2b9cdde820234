/** Prints the calls of `up`, a line each as long as that is readable. */
import {
  callLine,
  type CallRecord,
  Ledger,
  summaryLines,
} from "../core/caller.ts";
import { columns, paint } from "../io/terminal.ts";
import type { ClientEvent } from "../control/calls.ts";
import type { Listener, LoadState, StoryState } from "../control/state.ts";
import { colourOf, say } from "../stack/output.ts";

/** Nobody reads more lines a second. */
const LINES_PER_S_MAX = 10;

/** Prints calls, and counts them for the table at the end. */
export class CallPrinter {
  readonly #load: () => LoadState | undefined;
  readonly #ledger = new Ledger();
  readonly #told = new Set<number>();
  #second = new Ledger();
  #calls = 0;
  readonly #print: (program: string, line: string) => void;
  readonly #columns: () => number;

  /**
   * @param load The load that makes the calls.
   * @param output Where lines go, and how wide that is (default: the terminal).
   */
  constructor(
    load: () => LoadState | undefined,
    output: {
      readonly say?: (program: string, line: string) => void;
      readonly columns?: () => number;
    } = {},
  ) {
    this.#load = load;
    this.#print = output.say ?? say;
    this.#columns = output.columns ?? columns;
  }

  /** Handles a client's event; calls of all clients are numbered together. */
  note(listener: Listener, event: ClientEvent): void {
    if (event.type === "news") this.#say("client", event.news);
    if (event.type !== "call") return;
    this.#calls += 1;
    this.#ledger.add(event);
    this.#second.add(event);
    if (!this.#isReadable()) return;
    const call = { ...event, call: this.#calls };
    this.#say(
      this.#nameOf(listener),
      callLine(call),
      (line) => paintOf(call, line),
    );
  }

  /** Sums up the last second if it had too many calls for single lines. */
  nextSecond(): void {
    const { calls, failed, shares, latencyMs } = this.#second.summary();
    this.#second = new Ledger();
    if (calls === 0 || this.#isReadable()) return;
    const servers = shares.map((one) => one.calls).join("/");
    this.#say(
      "client",
      [
        `${String(calls).padStart(4)} calls`,
        `p99 ${(latencyMs?.p99.toFixed(1) ?? "-").padStart(6)} ms`,
        `${String(failed).padStart(4)} lost`,
        servers,
      ].join("  "),
      (line) => failed === 0 ? line : line.replace(/\d+ lost/, inRed),
    );
  }

  /** Prints a story when it begins, and again when it is complete. */
  tellStory({ id, who, text, isOpen }: StoryState): void {
    if (isOpen && this.#told.has(id)) return;
    if (isOpen) this.#told.add(id);
    else this.#told.delete(id);
    const isOwn = who === "" || who === "keys";
    this.#say("up", isOwn ? text : `${text} (${who})`);
  }

  /** The table at the end; empty without calls. */
  summaryLines(): readonly string[] {
    const summary = this.#ledger.summary();
    return summary.calls === 0 ? [] : summaryLines(summary).slice(1);
  }

  /** Wraps a text to the terminal, and paints it then. */
  #say(
    program: string,
    text: string,
    paintLine: (line: string) => string = (line) => line,
  ): void {
    for (const line of wrapped(text, this.#columns() - PREFIX_COLUMNS)) {
      this.#print(program, paintLine(line));
    }
  }

  #isReadable(): boolean {
    const { ratePerS = 0, listeners = [] } = this.#load() ?? {};
    return ratePerS * listeners.length <= LINES_PER_S_MAX;
  }

  /** Names the listener if both are called. */
  #nameOf(listener: Listener): string {
    return (this.#load()?.listeners.length ?? 1) > 1
      ? `client ${listener}`
      : "client";
  }
}

/** Width of the prefix with a program's name. */
const PREFIX_COLUMNS = 12;

/** Lines of at most this width; those after the first are indented. */
function wrapped(text: string, width: number): readonly string[] {
  const [first = "", ...words] = text.split(" ");
  const lines = [first];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines;
}

function inRed(text: string): string {
  return paint("red", text);
}

/** A failed call is red, and a server's name has its own colour. */
function paintOf(call: CallRecord, line: string): string {
  if (call.kind === "error") return inRed(line);
  return line.replace(call.server, (name) => paint(colourOf(name), name));
}
