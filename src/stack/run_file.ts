/**
 * What `up` has started, in a file of the project's folder, so that the next
 * one knows what a killed one has left. Linux only: elsewhere no process can
 * be told from a later one with its id, and no file is written.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, messageOf } from "../core/errors.ts";
import { statOf } from "../io/process_stat.ts";
import { runToEnd } from "../io/processes.ts";
import { waitUntil } from "../io/wait.ts";

/** Where the files are: a binary has the folder where it runs. */
const FOLDER = Deno.build.standalone
  ? join(Deno.cwd(), ".tools", "run")
  : fileURLToPath(new URL("../../.tools/run", import.meta.url));

/** What was killed by the kernel is gone in milliseconds. */
const END_LIMIT_MS = 5000;

/** A process; `born` tells it from any other with its id. */
interface Process {
  readonly pid: number;
  /** The boot's id and the process's start, in the kernel's ticks. */
  readonly born: string;
}

/** How `ctl` reaches a run: what it may do is for the same user only. */
export interface PageOfRun {
  readonly url: string;
  readonly token: string;
}

/** The content of a file. */
interface Content {
  readonly page?: PageOfRun;
  readonly up: Process;
  readonly startedAt: string;
  readonly ports: readonly number[];
  readonly parts: readonly Process[];
}

/** An `up` of which at least one process lives. */
export interface Run extends Content {
  readonly path: string;
  /** Whether `up` itself lives; its parts are its own then. */
  readonly isRunning: boolean;
  /** The parts that live. */
  readonly living: readonly Process[];
}

/** The file of this program's run. */
export class RunFile {
  readonly #path: string;
  readonly #ports: readonly number[];
  readonly #startedAt = new Date().toISOString();
  #page: PageOfRun | undefined;
  #pids: readonly number[] = [];
  /** The file is written by one writer at a time, in order. */
  #written: Promise<void> = Promise.resolve();

  /**
   * @param ports What the run listens on, on addresses of this machine.
   * @param folder `.tools/run` of the project unless given.
   */
  constructor(ports: readonly number[], folder = FOLDER) {
    this.#ports = ports;
    this.#path = join(folder, `${Deno.pid}-${Date.now()}.json`);
  }

  /**
   * Notes which processes there are now.
   * @throws {Failure} `environment` when the file cannot be written.
   */
  note(pids: readonly number[]): Promise<void> {
    this.#pids = pids;
    this.#written = this.#written.then(() => this.#write(pids));
    return this.#written;
  }

  /**
   * Notes how the run is reached.
   * @throws {Failure} `environment` when the file cannot be written.
   */
  notePage(page: PageOfRun): Promise<void> {
    this.#page = page;
    return this.note(this.#pids);
  }

  /** Removes the file, when everything was ended. */
  async remove(): Promise<void> {
    await this.#written.catch(() => {});
    await Deno.remove(this.#path).catch(() => {});
  }

  async #write(pids: readonly number[]): Promise<void> {
    const [up, ...parts] = await identify([Deno.pid, ...pids]);
    if (up?.pid !== Deno.pid) return; // Not Linux.
    const content: Content = {
      up,
      startedAt: this.#startedAt,
      ports: this.#ports,
      parts,
      ...(this.#page === undefined ? {} : { page: this.#page }),
    };
    try {
      await Deno.mkdir(join(this.#path, ".."), { recursive: true });
      // Renamed into its place: nobody ever reads half of it.
      await Deno.writeTextFile(`${this.#path}.new`, JSON.stringify(content), {
        mode: 0o600,
      });
      await Deno.rename(`${this.#path}.new`, this.#path);
    } catch (error) {
      throw new Failure(
        "environment",
        `Cannot note what runs in "${this.#path}": ${messageOf(error)}; make ` +
          "the folder writable",
        { cause: error },
      );
    }
  }
}

/**
 * The runs of which something lives. Files of others are removed.
 *
 * @param folder `.tools/run` of the project unless given.
 */
export async function findRuns(folder = FOLDER): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const path of await runFiles(folder)) {
    const content = await readContent(path);
    const lives = content === undefined
      ? []
      : await living([content.up, ...content.parts]);
    if (content === undefined || lives.length === 0) {
      await Deno.remove(path).catch(() => {});
      continue;
    }
    const isUp = ({ pid }: Process) => pid === content.up.pid;
    runs.push({
      ...content,
      path,
      isRunning: lives.some(isUp),
      living: lives.filter((one) => !isUp(one)),
    });
  }
  return runs;
}

async function runFiles(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (/^\d+-\d+\.json$/.test(name)) paths.push(join(folder, name));
    }
  } catch {
    // There is no such folder: nothing has run here.
  }
  return paths.sort();
}

/** Undefined when it is not what a run has written. */
async function readContent(path: string): Promise<Content | undefined> {
  const isProcess = (one: Process) =>
    Number.isInteger(one.pid) && one.pid > 1 && typeof one.born === "string";
  try {
    const content = JSON.parse(await Deno.readTextFile(path)) as Content;
    const isContent = [content.up, ...content.parts].every(isProcess) &&
      content.ports.every(Number.isInteger) &&
      !Number.isNaN(Date.parse(content.startedAt));
    return isContent ? content : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Ends what a run has left, at once: nobody is there who would read how it
 * stops. Nothing else is touched.
 *
 * @throws {Failure} `environment` when something cannot be ended.
 */
export async function endLeftovers(run: Run): Promise<void> {
  // Asked again: time has gone by.
  for (const { pid } of await living(run.parts)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new Failure(
        "environment",
        `Cannot end process ${pid}, which is left of an earlier \`up\`: ${
          messageOf(error)
        }; end it as the user who has started it`,
        { cause: error },
      );
    }
  }
  const isEnded = async () => (await living(run.parts)).length === 0;
  if (!await waitUntil(isEnded, END_LIMIT_MS)) {
    throw new Failure(
      "environment",
      `What is left of an earlier \`up\` does not end: process ${
        run.living.map(({ pid }) => pid).join(", ")
      }; end it by hand`,
    );
  }
  await Deno.remove(run.path).catch(() => {});
}

/** Those that are still the same process. */
async function living(
  processes: readonly Process[],
): Promise<readonly Process[]> {
  const now = await identify(processes.map(({ pid }) => pid));
  return processes.filter((one) =>
    now.some(({ pid, born }) => pid === one.pid && born === one.born)
  );
}

/**
 * Prints the boot's id and, for each argument, the line that the kernel has
 * for that process. Deno reads no file of /proc without every permission.
 */
const SCRIPT = 'read -r line </proc/sys/kernel/random/boot_id; echo "$line"; ' +
  'for pid; do read -r line </proc/$pid/stat && echo "$line"; done';

/** The living processes of these ids, in their order. */
async function identify(
  pids: readonly number[],
): Promise<readonly Process[]> {
  if (Deno.build.os !== "linux") return [];
  const words = ["-c", SCRIPT, "sh", ...pids.map(String)];
  const { stdout } = await runToEnd("/bin/sh", words);
  const [bootId = "", ...lines] = stdout.split("\n");
  return lines.flatMap((line) => {
    const stat = statOf(line);
    if (stat === undefined || /[ZX]/.test(stat.state)) return [];
    return [{ pid: stat.pid, born: `${bootId} ${stat.startTicks}` }];
  });
}
