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
import { outlierEjection } from "./09_outlier_ejection.ts";
import { circuitBreaking } from "./10_circuit_breaking.ts";
import { slowServers } from "./11_slow_servers.ts";
import { streams } from "./12_streams.ts";
import { deadlines } from "./13_deadlines.ts";
import { workers } from "./14_workers.ts";
import { deployErrors } from "./15_deploy_errors.ts";
import { faultyServerStays } from "./16_faulty_server_stays.ts";
import { slowAfternoon } from "./17_slow_afternoon.ts";

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
  outlierEjection,
  circuitBreaking,
  slowServers,
  streams,
  deadlines,
  workers,
  deployErrors,
  faultyServerStays,
  slowAfternoon,
];
