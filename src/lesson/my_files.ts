/**
 * A learner's files: a copy of envoy.yaml for each lesson, and the progress. No
 * file is ever overwritten without a copy beside it.
 */
import { dirname } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { fieldsOf } from "../core/yaml.ts";

/** Where they are, relative to the working folder. */
export const MY = "my";

/** More copies than anybody makes of one file. */
const COPIES_MAX = 1000;

/** How far a learner is with one lesson. */
export interface LessonProgress {
  /** How many hints were shown. */
  readonly hints: number;
  /** Whether a check has held. */
  readonly isSolved: boolean;
  /** Whether the solution was applied for the learner. */
  readonly isShown: boolean;
}

/** How far a learner is. */
export interface Progress {
  /** The name of the lesson that was started last; "" at first. */
  readonly current: string;
  readonly lessons: Readonly<Record<string, LessonProgress>>;
}

/** How far everybody is at first. */
export const NO_PROGRESS: LessonProgress = {
  hints: 0,
  isSolved: false,
  isShown: false,
};

/** The progress, and what there is to say about it. */
export interface ReadProgress extends Progress {
  /** One sentence, if the file was damaged. */
  readonly note?: string;
}

/**
 * Reads the progress; a damaged file is set aside.
 *
 * @param folder The learner's folder.
 * @throws {Failure} `environment` when it cannot be read or set aside.
 */
export async function readProgress(folder: string): Promise<ReadProgress> {
  const path = `${folder}/progress.json`;
  const nothing: Progress = { current: "", lessons: {} };
  const text = await readIfThere(path);
  if (text === undefined) return nothing;
  try {
    return checked(JSON.parse(text));
  } catch {
    const aside = await setAside(path);
    return {
      ...nothing,
      note: `${path} was damaged and is now ${aside}; which lessons you have ` +
        "solved is forgotten, your files are not",
    };
  }
}

/** @throws {TypeError} When it is something else. */
function checked(value: unknown): Progress {
  const { current, lessons } = fieldsOf(value);
  const isFine = typeof current === "string" && typeof lessons === "object" &&
    Object.values(fieldsOf(lessons)).map(fieldsOf).every((one) =>
      Number.isInteger(one["hints"]) && typeof one["isSolved"] === "boolean" &&
      typeof one["isShown"] === "boolean"
    );
  if (!isFine) throw new TypeError("this is not a learner's progress");
  return value as Progress;
}

/**
 * Replaces the progress.
 *
 * @throws {Failure} `environment` when it cannot be written.
 */
export async function writeProgress(
  folder: string,
  { current, lessons }: Progress,
): Promise<void> {
  const text = JSON.stringify({ current, lessons }, undefined, 2);
  await writeWhole(`${folder}/progress.json`, `${text}\n`);
}

/**
 * Reads a learner's file.
 *
 * @returns Undefined if it is not there.
 * @throws {Failure} `environment` when it is there and cannot be read.
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const isThere = !(error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory);
    if (!isThere) return undefined;
    throw new Failure(
      "environment",
      `Cannot read "${path}": ${messageOf(error)}; make it a file that you ` +
        "can read, or move it away",
      { cause: error },
    );
  }
}

/**
 * Replaces a learner's file at once, and keeps the one before beside it.
 *
 * @returns The path of that one; undefined if there was none, or the same.
 * @throws {Failure} `environment` when it cannot be written.
 */
export async function replaceFile(
  path: string,
  text: string,
): Promise<string | undefined> {
  const before = await readIfThere(path);
  if (before === text) return undefined;
  const kept = before === undefined ? undefined : await setAside(path);
  await writeWhole(path, text);
  return kept;
}

/** Gives a file a name that is free: "envoy.yaml.1", "envoy.yaml.2", … */
async function setAside(path: string): Promise<string> {
  return await writing(path, async () => {
    for (let number = 1; number <= COPIES_MAX; number += 1) {
      const aside = `${path}.${number}`;
      try {
        // Fails where one is, so that nothing is overwritten.
        (await Deno.open(aside, { write: true, createNew: true })).close();
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) continue;
        throw error;
      }
      await Deno.rename(path, aside);
      return aside;
    }
    throw new RangeError(`there are ${COPIES_MAX} copies beside it already`);
  });
}

/** Writes all of it or nothing. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writing(path, async () => {
    await Deno.mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.writeTextFile(temporary, text);
      await Deno.rename(temporary, path);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
  });
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot write "${path}": ${messageOf(error)}; make room, or make its ` +
        "folder one that you can write to",
      { cause: error },
    );
  }
}
