/** What the page sees of the lessons. All are plain JSON. */
import type { Block } from "../lesson/markdown.ts";

/** A lesson in the page's list. */
export interface ListedLesson {
  readonly number: number;
  readonly name: string;
  readonly title: string;
  readonly minutes: number;
  /** The learner's copy of envoy.yaml. */
  readonly file: string;
  readonly isStarted: boolean;
  readonly isSolved: boolean;
  readonly isShown: boolean;
  readonly isCurrent: boolean;
}

/** Everything that the page shows of the lessons. */
export interface LessonsState {
  readonly lessons: readonly ListedLesson[];
  /** The text of the current lesson; none if no lesson is started. */
  readonly blocks: readonly Block[];
  /** The hints that were shown. */
  readonly hints: readonly string[];
  /** What else a learner must know, once. */
  readonly notes: readonly string[];
}

/** What came of a request. */
export interface LessonAnswer {
  readonly sentence: string;
  /** Of a check. */
  readonly verdict?: "solved" | "wrong" | "unclear";
  /** What a check measured. */
  readonly findings: readonly {
    readonly verdict: "held" | "broken" | "unknown";
    readonly text: string;
    readonly measured: string;
  }[];
  readonly state: LessonsState;
}
