/** Ends this program's children when it is killed and cannot do so itself. */
/**
 * Reads the process groups of the living children, a line for each change. Its
 * input ends when this program does, however that happens; whatever the last
 * line names is ended then.
 */
const SCRIPT = "groups=; while read -r line; do groups=$line; done; " +
  '[ -z "$groups" ] || kill -9 $groups 2>/dev/null';

/** A small shell beside the children; there is one while there are any. */
export class Watchdog {
  #process: Deno.ChildProcess | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array> | undefined;

  /**
   * Says which children there are now; each leads its own process group.
   *
   * @returns Resolves when that is known, and when there are none, when the
   * watchdog has ended.
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
      // Somebody has killed it; the children live on without one.
    }
    if (pids.length === 0) await process?.status;
  }

  /** Ends it at once, for when the children have been ended. */
  kill(): void {
    try {
      this.#process?.kill("SIGKILL");
    } catch {
      // It has ended.
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
