/** What a cluster was started with, for taking it down. */
import { PROJECT } from "../docker/machine.ts";

const STATE = `${PROJECT}.tools/kubernetes/started.json`;

/** The machine before the cluster, and what was started. */
export interface Started {
  /** Process ids, by the program's name. */
  readonly processes: Readonly<Record<string, number>>;
  /** The kernel's settings that the programs change, by their path. */
  readonly settings: Readonly<Record<string, string>>;
  /** Those of the folders that programs make that existed before. */
  readonly folders: readonly string[];
  /** The folders of pods' networks that existed before. */
  readonly networks: readonly string[];
}

/** What an earlier `up` recorded, or undefined. */
export async function readStarted(): Promise<Started | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(STATE)) as Started;
  } catch {
    return undefined;
  }
}

/** Records what must be taken down later. */
export async function writeStarted(started: Started): Promise<void> {
  await Deno.writeTextFile(STATE, `${JSON.stringify(started, null, 2)}\n`);
}

/** Records a process. */
export async function noteProcess(name: string, pid: number): Promise<void> {
  const started = await readStarted();
  if (started === undefined) throw new Error("no state to add a process to");
  await writeStarted({
    ...started,
    processes: { ...started.processes, [name]: pid },
  });
}
