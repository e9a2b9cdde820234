// @ts-check
// Does every server get the same share of the calls?
//
//   k6 run loadtest/grpc.js
//
// Calls SayHello at a constant arrival rate, whether or not earlier calls have
// been answered, on one connection per VU, kept for the run. The exit code is 0
// when every threshold holds, and 99 when one does not.
//
// The settings, variables of the environment, are in README.md.
import { openLoop, readSettings } from "./lib/open_loop.ts";

const settings = readSettings("constant-rate");
const test = openLoop({ settings });

export const { options, setup, handleSummary } = test;
export default test.run;
