/** Every lesson, in the order of their numbers. */
import type { Lesson } from "../../src/lesson/lesson.ts";

/** All lessons. */
export const LESSONS: readonly Lesson[] = [];
