/** The lessons on the page: what it shows of them, and what it may ask for. */
import { Refusal } from "../control/actions.ts";
import { printable } from "../core/printable.ts";
import { fieldsOf } from "../core/yaml.ts";
import { Course, readableText } from "../lesson/course.ts";
import type { JudgeOptions, Outcome } from "../lesson/judge.ts";
import type { Lesson } from "../lesson/lesson.ts";
import { parseMarkdown } from "../lesson/markdown.ts";
import { commandWords } from "../io/build.ts";
import { asTyped } from "../lesson/text.ts";
import type { LessonAnswer, LessonsState } from "./lesson_state.ts";

/** What the page may ask for beside a start. */
const VERBS = ["hint", "check", "solve", "reset", "next"] as const;

/** What a check needs; it is interrupted by the signal. */
export type Judging = (
  signal: AbortSignal,
) => Promise<Omit<JudgeOptions, "name">>;

/** Handles the page's requests, one check at a time. */
export class LessonDesk {
  readonly #course: Course;
  readonly #judging: Judging;
  readonly #closing = new AbortController();
  readonly #notes: string[] = [];
  #isChecking = false;

  /**
   * @param lessons All lessons, in order.
   * @param folder The learner's (default "my").
   */
  constructor(
    lessons: readonly Lesson[],
    judging: Judging,
    folder?: string,
  ) {
    this.#course = new Course(lessons, {
      ...(folder === undefined ? {} : { folder }),
      onNote: (sentence) => this.#notes.push(sentence),
    });
    this.#judging = judging;
  }

  /** Interrupts a check. */
  close(): void {
    this.#closing.abort();
  }

  /** @throws {Failure} When the learner's files cannot be read. */
  async state(): Promise<LessonsState> {
    const states = await this.#course.list();
    const current = states.find(({ isCurrent }) => isCurrent);
    const notes = this.#notes.splice(0);
    const typed = (text: string) => asTyped(text, commandWords());
    return {
      lessons: states.map(({ lesson, ...state }) => ({
        number: lesson.number,
        name: lesson.name,
        title: lesson.title,
        minutes: lesson.minutes,
        ...state,
      })),
      blocks: current === undefined
        ? []
        : parseMarkdown(typed(readableText(current))),
      hints: (current?.lesson.hints ?? []).slice(0, current?.hints).map(typed),
      notes,
    };
  }

  /**
   * Does what the page asks for.
   *
   * @param wish Any JSON value.
   * @throws {Refusal} When it is not a request, or a check is running.
   * @throws {Failure} As the command `lesson` does.
   */
  async ask(wish: unknown): Promise<LessonAnswer> {
    const { do: verb, name } = fieldsOf(wish);
    const known = VERBS.find((one) => one === verb);
    const { sentence, ...outcome } = known !== undefined
      ? await this.#do(known)
      : verb === "start" && typeof name === "string"
      ? { sentence: (await this.#course.start(name)).sentence }
      : refuse(wish);
    const state = await this.state();
    return {
      findings: [],
      ...outcome,
      sentence: [...state.notes, sentence].join(" "),
      state,
    };
  }

  async #do(
    verb: typeof VERBS[number],
  ): Promise<Pick<Outcome, "sentence"> & Partial<Outcome>> {
    if (verb !== "check") {
      const { sentence } = await this.#course[verb]();
      return { sentence };
    }
    if (this.#isChecking) throw new Refusal("A check is running already");
    this.#isChecking = true;
    try {
      const { verdict, sentence, findings } = await this.#course.check(
        () => this.#judging(this.#closing.signal),
      );
      return { verdict, sentence, findings };
    } finally {
      this.#isChecking = false;
    }
  }
}

function refuse(wish: unknown): never {
  const shown = printable(JSON.stringify(wish) ?? "nothing", 60);
  throw new Refusal(
    `do must be start with the name of a lesson, or one of ${
      VERBS.join(", ")
    }, not ${shown}`,
  );
}
