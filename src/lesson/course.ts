/** A course: its lessons, and how far this learner is with them. */
import { Failure } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { commandWords } from "../io/build.ts";
import { ENVOY_YAML } from "../stack/envoy_config.ts";
import { editYaml } from "./edit_yaml.ts";
import { judgeFile, type JudgeOptions, type Outcome } from "./judge.ts";
import type { Lesson } from "./lesson.ts";
import {
  type LessonProgress,
  MY,
  NO_PROGRESS,
  readIfThere,
  readProgress,
  replaceFile,
  writeProgress,
} from "./my_files.ts";

/** A lesson and how far the learner is with it. */
export interface LessonState extends LessonProgress {
  readonly lesson: Lesson;
  /** The learner's copy of envoy.yaml. */
  readonly file: string;
  /** Whether that copy was made. */
  readonly isStarted: boolean;
  readonly isCurrent: boolean;
}

/** What was done, in a sentence. */
export interface Done {
  readonly lesson: Lesson;
  readonly sentence: string;
}

/** A command of lessons as it is typed here. */
function typed(words: string): string {
  return `\`${commandWords()} lesson ${words}\``;
}

/** The copy of envoy.yaml with which a lesson starts. */
export function startText({ start }: Lesson): string {
  return editYaml(ENVOY_YAML, start);
}

/** The copy that solves it. */
export function solvedText(lesson: Lesson): string {
  return editYaml(startText(lesson), lesson.solution);
}

/** Where an incident's text begins to explain itself. */
const EXPLANATION = "\n## What it was\n";

/** What a learner may read of a lesson's text: no explanation before the end. */
export function readableText(
  { lesson, isSolved, isShown }: Pick<
    LessonState,
    "lesson" | "isSolved" | "isShown"
  >,
): string {
  const end = lesson.isIncident && !isSolved && !isShown
    ? lesson.text.indexOf(EXPLANATION)
    : -1;
  return end < 0 ? lesson.text : lesson.text.slice(0, end + 1);
}

/** "05": numbers sort as names of folders. */
export function numberWord({ number }: Lesson): string {
  return String(number).padStart(2, "0");
}

/** What a learner does in a course. Nothing is kept between two calls. */
export class Course {
  readonly #lessons: readonly Lesson[];
  readonly #folder: string;
  readonly #onNote: (sentence: string) => void;
  readonly #judge: typeof judgeFile;

  /**
   * @param lessons In the order of their numbers.
   * @param options `folder` has the learner's files (default "my"); `onNote`
   * is told what a learner must know besides; `judge` is for tests.
   */
  constructor(lessons: readonly Lesson[], options: {
    readonly folder?: string;
    readonly onNote?: (sentence: string) => void;
    readonly judge?: typeof judgeFile;
  } = {}) {
    this.#lessons = lessons;
    this.#folder = options.folder ?? MY;
    this.#onNote = options.onNote ?? (() => {});
    this.#judge = options.judge ?? judgeFile;
  }

  /** All lessons. */
  async list(): Promise<readonly LessonState[]> {
    const { current, lessons } = await this.#progress();
    return await Promise.all(this.#lessons.map(async (lesson) => {
      const file = this.#fileOf(lesson);
      return {
        ...NO_PROGRESS,
        ...lessons[lesson.name],
        lesson,
        file,
        isStarted: await readIfThere(file) !== undefined,
        isCurrent: lesson.name === current,
      };
    }));
  }

  /** The lesson that was started last. @throws {Failure} If there is none. */
  async current(): Promise<LessonState> {
    const found = (await this.list()).find(({ isCurrent }) => isCurrent);
    if (found !== undefined) return found;
    throw new Failure(
      "environment",
      `No lesson is started; ${typed("start 1")} starts the first`,
    );
  }

  /**
   * Starts a lesson, or goes on with it: a copy that is there stays.
   *
   * @param word Its number or name.
   * @throws {Failure} `usage` when there is no such lesson.
   */
  async start(word: string): Promise<Done> {
    const lesson = this.#find(word);
    const file = this.#fileOf(lesson);
    const isThere = await readIfThere(file) !== undefined;
    if (!isThere) await replaceFile(file, startText(lesson));
    await this.#note(lesson, {});
    return {
      lesson,
      sentence: isThere
        ? `Your copy ${file} is as you left it; ${typed("reset")} begins anew`
        : `Your copy of envoy.yaml for this lesson is ${file}`,
    };
  }

  /** Starts the lesson after the current one; the first one at first. */
  async next(): Promise<Done> {
    const states = await this.list();
    const at = states.findIndex(({ isCurrent }) => isCurrent);
    const lesson = this.#lessons[at + 1];
    if (lesson !== undefined) return await this.start(lesson.name);
    const left = states.filter(({ isSolved }) => !isSolved)
      .map(({ lesson }) => lesson.number);
    throw new Failure(
      "environment",
      "This was the last lesson; " +
        (left.length === 0
          ? "you have solved all of them"
          : `not solved yet: ${left.join(", ")}; ` +
            `${typed(`start ${left[0]}`)} goes there`),
    );
  }

  /** Unfolds the next hint of the current lesson. */
  async hint(): Promise<Done> {
    const { lesson, hints } = await this.current();
    const shown = Math.min(hints + 1, lesson.hints.length);
    await this.#note(lesson, { hints: shown });
    const all = lesson.hints.length;
    const more = shown < all
      ? ""
      : ` (That was the last; ${typed("solve")} applies the solution.)`;
    return {
      lesson,
      sentence: `Hint ${shown} of ${all}: ${lesson.hints[shown - 1]}${more}`,
    };
  }

  /** Makes the copy of the current lesson new. */
  async reset(): Promise<Done> {
    const { lesson } = await this.current();
    return await this.#replace(lesson, startText(lesson), "as at the start");
  }

  /** Applies the current lesson's solution. */
  async solve(): Promise<Done> {
    const { lesson } = await this.current();
    const done = await this.#replace(lesson, solvedText(lesson), "solved");
    await this.#note(lesson, { isShown: true });
    return done;
  }

  /**
   * Judges the copy of the current lesson, and remembers when it is solved.
   *
   * @throws {Failure} As judgeFile(), and if the copy is missing.
   */
  async check(
    options: (lesson: Lesson) => Promise<Omit<JudgeOptions, "name">>,
  ): Promise<Outcome & { readonly lesson: Lesson }> {
    const { lesson, file } = await this.current();
    const text = await readIfThere(file);
    if (text === undefined) {
      throw new Failure(
        "environment",
        `${file} is missing; ${typed("reset")} makes it new`,
      );
    }
    const outcome = await this.#judge(lesson, text, {
      ...await options(lesson),
      name: file,
    });
    if (outcome.verdict === "solved") {
      await this.#note(lesson, { isSolved: true }, false);
    }
    return { ...outcome, lesson };
  }

  async #replace(lesson: Lesson, text: string, how: string): Promise<Done> {
    const file = this.#fileOf(lesson);
    const kept = await replaceFile(file, text);
    const rest = kept === undefined ? "" : `; what it was is now ${kept}`;
    return { lesson, sentence: `${file} is ${how}${rest}` };
  }

  async #progress() {
    const progress = await readProgress(this.#folder);
    if (progress.note !== undefined) this.#onNote(progress.note);
    return progress;
  }

  /** Remembers it; another lesson may have been started meanwhile. */
  async #note(
    lesson: Lesson,
    changed: Partial<LessonProgress>,
    isCurrent = true,
  ): Promise<void> {
    const { current, lessons } = await this.#progress();
    const before = lessons[lesson.name] ?? NO_PROGRESS;
    await writeProgress(this.#folder, {
      current: isCurrent ? lesson.name : current,
      lessons: { ...lessons, [lesson.name]: { ...before, ...changed } },
    });
  }

  #fileOf(lesson: Lesson): string {
    return `${this.#folder}/${numberWord(lesson)}-${lesson.name}/envoy.yaml`;
  }

  #find(word: string): Lesson {
    const found = this.#lessons.find(({ number, name }) =>
      /^\d+$/.test(word) ? number === Number(word) : name === word
    );
    if (found !== undefined) return found;
    const names = this.#lessons.map(({ name }) => name);
    const near = nearest(word, names);
    throw new Failure(
      "usage",
      `There is no lesson "${word}"; ` +
        (near === undefined
          ? `${typed("list")} shows all ${names.length}`
          : `did you mean ${near}?`),
    );
  }
}
