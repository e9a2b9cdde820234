// @ts-check
// Does every server get the same share of the calls?
//
//   k6 run loadtest/grpc.js
//
// Calls SayHello at a constant arrival rate, whether or not earlier calls have
// been answered, on one connection per VU, kept for the run. The exit code is 0
// when every threshold holds, and 99 when one does not.
//
// Settings, as variables of the environment:
//   TARGET       host and port                          localhost:5000
//   RATE         calls per second                       300
//   DURATION     measured time: a number and s, m or h  30s
//   WARMUP       time before it, which is not judged    5s
//   SERVERS      how many servers there must be         3
//   TOLERANCE    how far a server's share may be from the even one,
//                as a part of it; 0.01 is 1 %           0.01
//   P95_MS       bound of 95 % of the calls, in ms      50
//   P99_MS       bound of 99 % of the calls, in ms      100
//   VUS          most calls in flight; as many connections. A prime number
//                cannot be spread evenly over servers, so that balancing
//                connections is told from balancing calls     53
//   DEADLINE_MS  deadline of a call, in ms              5000
//   WORK_MS      how long a server works on a call, in ms     0
//   L7_TARGET    set when TARGET is an L4 listener: each connection must stay
//                with one server then; names the L7 listener beside it
//   REPORT       the report's path without ".json" and ".html"
import { openLoop, readSettings } from "./lib/open_loop.ts";

const settings = readSettings("constant-rate");
const test = openLoop({ settings });

export const { options, setup, handleSummary } = test;
export default test.run;
