/** Every lesson, in the order of their numbers. */
import type { Lesson } from "../../src/lesson/lesson.ts";
import { oneConnection } from "./01_one_connection.ts";
import { perCall } from "./02_per_call.ts";
import { discovery } from "./03_discovery.ts";
import { healthChecks } from "./04_health_checks.ts";
import { panic } from "./05_panic.ts";
import { draining } from "./06_draining.ts";
import { retries } from "./07_retries.ts";
import { priceOfRetries } from "./08_price_of_retries.ts";

/** All lessons. */
export const LESSONS: readonly Lesson[] = [
  oneConnection,
  perCall,
  discovery,
  healthChecks,
  panic,
  draining,
  retries,
  priceOfRetries,
];
