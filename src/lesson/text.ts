/** A lesson's text for a terminal. */
import type { Lesson } from "./lesson.ts";

/** The lines of a lesson's text. */
export function textOf(lesson: Lesson, _width: number): readonly string[] {
  return [
    `${lesson.number}. ${lesson.title}`,
    "",
    ...lesson.text.trimEnd().split("\n"),
  ];
}
