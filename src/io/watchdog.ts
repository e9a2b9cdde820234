/** Ends this program's children if it is killed and cannot do so itself. */
/**
 * Reads the process groups of the living children, a line per change. Its input
 * ends when this program does, however that happens; it then kills the groups
 * of the last line.
 */
const SCRIPT = "groups=; while read -r line; do groups=$line; done; " +
  '[ -z "$groups" ] || kill -9 $groups 2>/dev/null';

/** A small shell that runs while there are children. */
export class Watchdog {
  #process: Deno.ChildProcess | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array> | undefined;

  /**
   * Sets the current children; each leads its own process group.
   *
   * @returns Resolves when the watchdog knows them or, if there are none, has
   * ended.
   * @throws {Deno.errors.NotFound} When there is no shell.
   */
  async watch(pids: readonly number[]): Promise<void> {
    if (this.#process === undefined && pids.length > 0) this.#start();
    const process = this.#process;
    const input = this.#input;
    if (pids.length === 0) this.#process = this.#input = undefined;
    const line = pids.map((pid) => `-${pid}`).join(" ");
    try {
      await input?.write(new TextEncoder().encode(`${line}\n`));
      if (pids.length === 0) await input?.close();
    } catch {
      // It was killed; the children go on without a watchdog.
    }
    if (pids.length === 0) await process?.status;
  }

  /** Ends it at once, after the children have ended. */
  kill(): void {
    try {
      this.#process?.kill("SIGKILL");
    } catch {
      // Already ended.
    }
  }

  #start(): void {
    this.#process = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT],
      detached: true, // No signal of the terminal reaches it.
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
  }
}
