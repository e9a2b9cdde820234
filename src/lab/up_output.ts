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

  /** @param load The load that makes the calls. */
  constructor(load: () => LoadState | undefined) {
    this.#load = load;
  }

  /** Handles a client's event; calls of all clients are numbered together. */
  note(listener: Listener, event: ClientEvent): void {
    if (event.type === "news") say("client", event.news);
    if (event.type !== "call") return;
    this.#calls += 1;
    this.#ledger.add(event);
    this.#second.add(event);
    if (!this.#isReadable()) return;
    say(this.#nameOf(listener), lineOf({ ...event, call: this.#calls }));
  }

  /** Sums up the last second if it had too many calls for single lines. */
  nextSecond(): void {
    const { calls, failed, shares, latencyMs } = this.#second.summary();
    this.#second = new Ledger();
    if (calls === 0 || this.#isReadable()) return;
    const servers = shares.map((one) => one.calls).join("/");
    const lost = `${failed} lost`;
    say(
      "client",
      [
        `${calls} calls`,
        servers,
        `p99 ${latencyMs?.p99 ?? "-"} ms`,
        failed === 0 ? lost : paint("red", lost),
      ].join("  "),
    );
  }

  /** Prints a story when it begins, and again when it is complete. */
  tellStory({ id, who, text, isOpen }: StoryState): void {
    if (isOpen && this.#told.has(id)) return;
    if (isOpen) this.#told.add(id);
    else this.#told.delete(id);
    const isOwn = who === "" || who === "keys";
    wrapped(isOwn ? text : `${text} (${who})`).forEach((line) =>
      say("up", line)
    );
  }

  /** The table at the end; empty without calls. */
  summaryLines(): readonly string[] {
    const summary = this.#ledger.summary();
    return summary.calls === 0 ? [] : summaryLines(summary).slice(1);
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

/** Wraps a text to the terminal. */
function wrapped(text: string): readonly string[] {
  const width = columns() - PREFIX_COLUMNS;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines;
}

function lineOf(call: CallRecord): string {
  const line = callLine(call);
  if (call.kind === "error") return paint("red", line);
  return line.replace(call.server, (name) => paint(colourOf(name), name));
}
