/** What one viewer has still to be sent; what is old gives way to the new. */
import type { Messages } from "../control/state.ts";

/** A viewer that misses more than this is told everything again. */
const WAITING_MAX = 100;

/** A message, ready to be sent. */
export interface Parcel {
  readonly name: keyof Messages;
  /** Parcels of one kind with the same key replace each other. */
  readonly key: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/** Messages of which only the newest is of use. */
const REPLACED: ReadonlySet<keyof Messages> = new Set([
  "state",
  "calls",
  "excerpts",
]);

/** Makes a server-sent event of a message. */
export function parcel<K extends keyof Messages>(
  name: K,
  message: Messages[K],
): Parcel {
  const key = REPLACED.has(name)
    ? name
    : name === "story"
    ? `story ${(message as Messages["story"]).id}`
    : `${name} ${(message as { readonly atMs?: number }).atMs ?? ""}`;
  const text = `event: ${name}\ndata: ${JSON.stringify(message)}\n\n`;
  return { name, key, bytes: encoder.encode(text) };
}

/** Holds what has not been sent: bounded, however slow the viewer is. */
export class Outbox {
  readonly #hello: () => Parcel;
  readonly #waiting = new Map<string, Parcel>();
  #wake: () => void = () => {};
  #isLost = true;
  #isClosed = false;

  /** @param hello Makes the message that tells everything. */
  constructor(hello: () => Parcel) {
    this.#hello = hello;
  }

  /** Puts in one more. */
  put(one: Parcel): void {
    if (!this.#isLost) {
      this.#waiting.set(one.key, one);
      if (this.#waiting.size > WAITING_MAX) {
        this.#waiting.clear();
        this.#isLost = true;
      }
    }
    this.#wake();
  }

  /** Nothing more will come. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Takes the oldest; waits until there is one. Undefined at the end. */
  async take(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#isLost) {
      this.#isLost = false;
      return this.#hello().bytes;
    }
    while (!this.#isClosed) {
      for (const [key, { bytes }] of this.#waiting) {
        this.#waiting.delete(key);
        return bytes;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return undefined;
  }
}
