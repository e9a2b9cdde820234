/** A socket for tests that control what is written, and when. */
import { join, PREFACE } from "../../core/http2_wire.ts";
import { settings } from "../../io/http2_frames.ts";
import { until } from "../_fixture.ts";

/** A socket whose writes wait until the test takes some of their bytes. */
export class FakeSocket {
  readonly remoteAddr = { hostname: "192.0.2.1", port: 1 };
  readonly localAddr = { hostname: "192.0.2.2", port: 2 };
  /** The write in progress, and all bytes taken so far. */
  writing: Uint8Array | undefined;
  taken: Uint8Array = new Uint8Array();
  hasEnded = false;
  reads = 0;
  readonly #packet: Uint8Array;
  readonly #closed = Promise.withResolvers<null>();
  #settle: PromiseWithResolvers<number> | undefined;

  /** @param packet What every read after the preface returns, if anything. */
  constructor(packet: Uint8Array = new Uint8Array()) {
    this.#packet = packet;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writing = bytes;
    this.#settle = Promise.withResolvers();
    return this.#settle.promise;
  }

  /** Takes bytes of the write in progress, all of them by default. */
  async take(count?: number): Promise<void> {
    await until(() => this.writing !== undefined);
    const bytes = this.writing?.subarray(0, count) ?? new Uint8Array();
    this.taken = join(this.taken, bytes);
    this.writing = undefined;
    this.#settle?.resolve(bytes.length);
    await new Promise((resolve) => setTimeout(resolve));
  }

  async fail(error: Error): Promise<void> {
    await until(() => this.writing !== undefined);
    this.#settle?.reject(error);
    await new Promise((resolve) => setTimeout(resolve));
  }

  read(buffer: Uint8Array): Promise<number | null> {
    this.reads += 1;
    if (this.reads > 1 && this.#packet.length === 0) {
      return this.#closed.promise;
    }
    const bytes = this.reads === 1 ? join(PREFACE, settings()) : this.#packet;
    buffer.set(bytes);
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    this.hasEnded = true;
    return Promise.resolve();
  }

  close(): void {
    this.#closed.resolve(null);
  }
}
