/** The subcommand `fault`: injects a fault into a running server, or clears it. */
import { Failure, messageOf } from "../core/errors.ts";
import {
  checkFault,
  DELAY_SHAPES,
  type DelayShape,
  type Fault,
  FAULT_KINDS,
  type FaultKind,
} from "../core/fault.ts";
import {
  type FlagRows,
  type FlagValues,
  oneOf,
  wholeNumber,
} from "../core/flags.ts";
import { toRequest } from "../io/fault_messages.ts";
import { Admin } from "../io/proto.ts";
import { callHedged } from "../io/hedged_call.ts";
import { ASK_FLAGS } from "./ask.ts";

/** Parses a fraction from 0 to 1. */
function part(text: string): number {
  const value = Number(text);
  if (!/^[0-9]*\.?[0-9]+$/.test(text) || value > 1) {
    throw new RangeError("must be a number from 0 to 1");
  }
  return value;
}

/** The flags of `fault`. */
export const FAULT_FLAGS = {
  kind: {
    name: "kind",
    placeholder: "KIND",
    help: `${FAULT_KINDS.join(", ")}; clear ends every fault`,
    default: "clear" as FaultKind | "clear",
    parse: oneOf([...FAULT_KINDS, "clear" as const]),
  },
  durationMs: {
    name: "duration",
    placeholder: "MILLIS",
    help: "How long the fault lasts",
    default: 10_000,
    parse: wholeNumber(1, 600_000),
  },
  share: {
    name: "share",
    placeholder: "PART",
    help:
      "Fraction of the calls, or of a processor core for cpu, from 0 to 1; all by default",
    default: undefined as number | undefined,
    parse: part,
  },
  seed: {
    name: "seed",
    placeholder: "NUMBER",
    help: "Makes the choice of calls and the delays repeatable",
    default: 1,
    parse: wholeNumber(0, 4_294_967_295),
  },
  code: {
    name: "code",
    placeholder: "CODE",
    help: "status: the status code; 14 is UNAVAILABLE",
    default: 14,
    parse: wholeNumber(1, 16),
  },
  isAfterHeaders: {
    name: "after-headers",
    help: "status: send the headers first",
    switch: true,
  },
  delayMs: {
    name: "delay",
    placeholder: "MILLIS",
    help: "delay: how long",
    default: 0,
    parse: wholeNumber(0, 60_000),
  },
  delayShape: {
    name: "delay-shape",
    placeholder: "SHAPE",
    help: `delay: ${DELAY_SHAPES.join(", ")}; --delay is the mean`,
    default: "fixed" as DelayShape,
    parse: oneOf(DELAY_SHAPES),
  },
  isNotServing: {
    name: "not-serving",
    help: "Answer health checks with NOT_SERVING meanwhile",
    switch: true,
  },
  target: ASK_FLAGS.target,
  deadlineMs: ASK_FLAGS.deadlineMs,
} as const satisfies FlagRows;

/**
 * Runs the subcommand.
 *
 * @throws {Failure} `usage` when the flags do not describe a fault, `failed`
 * when the server refuses or does not answer.
 */
export async function sendFault(
  flags: FlagValues<typeof FAULT_FLAGS>,
): Promise<void> {
  const options = {
    ...flags,
    complaint: `${flags.target} did not accept the fault`,
  };
  if (flags.kind === "clear") {
    await callHedged(Admin, "ClearFaults", {}, options);
    return;
  }
  const request = toRequest(faultOf(flags, flags.kind));
  await callHedged(Admin, "SetFault", request, options);
}

function faultOf(
  flags: FlagValues<typeof FAULT_FLAGS>,
  kind: FaultKind,
): Fault {
  const { share, isNotServing, ...others } = flags;
  const fault: Fault = {
    ...others,
    kind,
    isServing: !isNotServing,
    ...(share === undefined ? {} : { share }),
  };
  try {
    checkFault(fault);
  } catch (error) {
    throw new Failure("usage", messageOf(error), { cause: error });
  }
  return fault;
}
