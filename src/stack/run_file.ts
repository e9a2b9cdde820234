/**
 * Records what `up` has started in a file in the project's folder, so that the
 * next `up` knows what a killed one left behind. Linux only: elsewhere a
 * process cannot be told from a later one with its id, so no file is written.
 */
import { join } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { projectFolder } from "../io/build.ts";
import { statOf } from "../io/process_stat.ts";
import { runToEnd } from "../io/processes.ts";
import { waitUntil } from "../io/wait.ts";
import { chooseBaseId, removeSharedMemory } from "./shared_memory.ts";

/** For files of runs. */
export const RUN_FOLDER: string = `${projectFolder()}.tools/run`;

/** A killed process is gone within milliseconds. */
const END_LIMIT_MS = 5000;

/** A process; `born` tells it from any other with the same id. */
interface Process {
  readonly pid: number;
  /** The boot id and the process's start time in kernel ticks. */
  readonly born: string;
}

/** How `ctl` reaches a run; only the same user may read it. */
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
  /** Names what its Envoys share; earlier versions did not record it. */
  readonly baseId?: number;
}

/** An `up` of which at least one process is alive. */
export interface Run extends Content {
  readonly path: string;
  /** Whether `up` itself is alive; it then owns its parts. */
  readonly isRunning: boolean;
  /** The parts that are alive. */
  readonly living: readonly Process[];
}

/** The file of this program's run. */
export class RunFile {
  /** For this run's Envoys; what they share is removed with the file. */
  readonly baseId = chooseBaseId();
  readonly #path: string;
  readonly #ports: readonly number[];
  readonly #startedAt = new Date().toISOString();
  #page: PageOfRun | undefined;
  #pids: readonly number[] = [];
  /** Writes happen one at a time, in order. */
  #written: Promise<void> = Promise.resolve();

  /**
   * @param ports The ports that the run listens on.
   * @param folder Default: the project's `.tools/run`.
   */
  constructor(ports: readonly number[], folder = RUN_FOLDER) {
    this.#ports = ports;
    this.#path = join(folder, `${Deno.pid}-${Date.now()}.json`);
  }

  /**
   * Records the processes of now.
   * @throws {Failure} `environment` when the file cannot be written.
   */
  note(pids: readonly number[]): Promise<void> {
    this.#pids = pids;
    this.#written = this.#written.then(() => this.#write(pids));
    return this.#written;
  }

  /**
   * Records how the run can be reached.
   * @throws {Failure} `environment` when the file cannot be written.
   */
  notePage(page: PageOfRun): Promise<void> {
    this.#page = page;
    return this.note(this.#pids);
  }

  /** Removes the file once everything has ended. */
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
      baseId: this.baseId,
      ...(this.#page === undefined ? {} : { page: this.#page }),
    };
    try {
      await Deno.mkdir(join(this.#path, ".."), { recursive: true });
      // Renamed into place, so that nobody reads half of it.
      await Deno.writeTextFile(`${this.#path}.new`, JSON.stringify(content), {
        mode: 0o600,
      });
      await Deno.rename(`${this.#path}.new`, this.#path);
    } catch (error) {
      throw new Failure(
        "environment",
        `Cannot write "${this.#path}": ${messageOf(error)}; make the folder ` +
          "writable",
        { cause: error },
      );
    }
  }
}

/**
 * The runs of which something is alive. Removes the files of all others.
 *
 * @param folder Default: the project's `.tools/run`.
 */
export async function findRuns(folder = RUN_FOLDER): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const path of await runFiles(folder)) {
    const content = await readContent(path);
    const lives = content === undefined
      ? []
      : await living([content.up, ...content.parts]);
    if (content === undefined || lives.length === 0) {
      await forget(path, content);
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
    // No such folder: nothing has run here.
  }
  return paths.sort();
}

/** Undefined if no run has written this. */
async function readContent(path: string): Promise<Content | undefined> {
  const isProcess = (one: Process) =>
    Number.isInteger(one.pid) && one.pid > 1 && typeof one.born === "string";
  try {
    const content = JSON.parse(await Deno.readTextFile(path)) as Content;
    const isContent = [content.up, ...content.parts].every(isProcess) &&
      [...content.ports, content.baseId ?? 0].every(Number.isInteger) &&
      !Number.isNaN(Date.parse(content.startedAt));
    return isContent ? content : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Kills what a run has left behind, and nothing else. There is no graceful
 * stop, since nobody would see it.
 *
 * @throws {Failure} `environment` when something cannot be killed.
 */
export async function endLeftovers(run: Run): Promise<void> {
  // Checked again, since time has passed.
  for (const { pid } of await living(run.parts)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new Failure(
        "environment",
        `Cannot kill process ${pid}, which is left of an earlier \`up\`: ${
          messageOf(error)
        }; kill it as the user who started it`,
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
  await forget(run.path, run);
}

/** Removes what a run has left that is not a process. */
async function forget(path: string, content?: Content): Promise<void> {
  const { baseId } = content ?? {};
  if (baseId !== undefined) await removeSharedMemory(baseId);
  await Deno.remove(path).catch(() => {});
}

/** The processes that are still alive. */
async function living(
  processes: readonly Process[],
): Promise<readonly Process[]> {
  const now = await identify(processes.map(({ pid }) => pid));
  return processes.filter((one) =>
    now.some(({ pid, born }) => pid === one.pid && born === one.born)
  );
}

/**
 * Prints the boot id and, for each argument, the kernel's stat line of that
 * process. Deno reads /proc only with all permissions.
 */
const SCRIPT = 'read -r line </proc/sys/kernel/random/boot_id; echo "$line"; ' +
  'for pid; do read -r line </proc/$pid/stat && echo "$line"; done';

/** The living processes with these ids, in order. */
/** Those of the processes that are alive; all of them where none can tell. */
export async function livingOf(
  pids: readonly number[],
): Promise<ReadonlySet<number>> {
  if (Deno.build.os !== "linux") return new Set(pids);
  return new Set((await identify(pids)).map(({ pid }) => pid));
}

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
