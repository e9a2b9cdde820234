import assert from "node:assert/strict";
import {
  judgeAddresses,
  judgeDisk,
  judgeFiles,
  judgeMemory,
  judgePorts,
  judgeProcessor,
  judgeSpeed,
} from "./judge.ts";

const SPEED = {
  ...{ calls: 600, lost: 0, askedPerS: 200, reachedPerS: 199.8, p99Ms: 9 },
};

for (
  const [what, finding, isFine, said] of [
    ["enough memory", judgeMemory(1), true, "1.0 GiB to be used"],
    [
      "too little memory",
      judgeMemory(0.9),
      false,
      "0.9 GiB to be used; it takes 1; close other programs",
    ],
    ["enough disk", judgeDisk(0.5), true, "0.5 GiB free"],
    [
      "a full disk",
      judgeDisk(0),
      false,
      "0.0 GiB free; reports take up to 0.5; make room",
    ],
    ["two cores", judgeProcessor(2), true, "2 cores"],
    [
      "one core",
      judgeProcessor(1),
      false,
      '1 cores; it takes 2, or experiments say "unknown"',
    ],
    [
      "no limit of files",
      judgeFiles(Infinity),
      true,
      "a program may open any number of files",
    ],
    [
      "few files",
      judgeFiles(256),
      false,
      "a program may open 256 files; it takes 1024; raise it with " +
      "`ulimit -n 1024`",
    ],
    ["free ports", judgePorts([1, 2], []), true, "1, 2 are free"],
    [
      "a taken port",
      judgePorts([1, 2], ["127.0.0.2:2"]),
      false,
      "127.0.0.2:2 taken; stop what uses it, or choose others " +
      "(`./denow task up --help`)",
    ],
    [
      "all addresses",
      judgeAddresses(["127.0.0.1", "127.0.0.8"], []),
      true,
      "127.0.0.1 to 127.0.0.8 are here",
    ],
    [
      "an absent address",
      judgeAddresses(["127.0.0.1", "127.0.0.2"], ["127.0.0.2"]),
      false,
      "this machine has no 127.0.0.2; each server needs one of its own; use " +
      "a Linux machine",
    ],
    [
      "a fast machine",
      judgeSpeed(SPEED),
      true,
      "200 of 200 calls/s, 0 of 600 lost, 99 % within 9 ms",
    ],
    ["a lost call", judgeSpeed({ ...SPEED, lost: 1 }), false, undefined],
    ["a slow machine", judgeSpeed({ ...SPEED, p99Ms: 251 }), false, undefined],
    [
      "a machine that cannot keep up",
      judgeSpeed({ ...SPEED, reachedPerS: 189 }),
      false,
      undefined,
    ],
    ["no call at all", judgeSpeed({ ...SPEED, calls: 0 }), false, undefined],
  ] as const
) {
  Deno.test(`judges ${what}`, () => {
    assert.equal(finding.isFine, isFine, finding.said);
    if (said === undefined) {
      assert.match(finding.said, /; close other programs and look again$/);
    } else assert.equal(finding.said, said);
  });
}
