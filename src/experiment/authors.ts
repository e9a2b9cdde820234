/** All that an experiment is written with, to be imported from one place. */
export * from "./changes.ts";
export * from "./experiment.ts";
export * from "./history.ts";
export * from "./judge.ts";
export * from "./memory.ts";
export * from "./run_context.ts";
export * from "./setup.ts";
