/** Faults as messages (see proto/demo/v1/admin.proto) and as flags. */
import type { DelayShape, Fault, FaultKind } from "../core/fault.ts";
import type { SetFaultRequest } from "./proto.ts";

/** The message that requests a fault. */
export function toRequest(fault: Fault): SetFaultRequest {
  return {
    kind: fault.kind,
    durationMs: fault.durationMs,
    ...(fault.share === undefined ? {} : { share: fault.share }),
    seed: fault.seed ?? 1,
    ...(fault.code === undefined ? {} : { code: fault.code }),
    afterHeaders: fault.isAfterHeaders ?? false,
    delayMs: fault.delayMs ?? 0,
    delayShape: fault.delayShape ?? "",
    notServing: fault.isServing === false,
  };
}

/** The fault that a message requests, unchecked. */
export function fromRequest(request: SetFaultRequest): Fault {
  return {
    kind: request.kind as FaultKind,
    durationMs: request.durationMs,
    ...(request.share === undefined ? {} : { share: request.share }),
    seed: request.seed,
    ...(request.code === undefined ? {} : { code: request.code }),
    isAfterHeaders: request.afterHeaders,
    delayMs: request.delayMs,
    delayShape: (request.delayShape || "fixed") as DelayShape,
    isServing: !request.notServing,
  };
}

/** The flags of the server's `fault` subcommand that request a fault. */
export function toFlags(fault: Fault): readonly string[] {
  const { share, code, seed, delayMs, delayShape } = fault;
  const values = {
    kind: fault.kind,
    duration: fault.durationMs,
    share,
    code,
    seed,
    delay: delayMs,
    "delay-shape": delayShape,
  };
  return [
    ...Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)]
    ),
    ...(fault.isAfterHeaders ? ["--after-headers"] : []),
    ...(fault.isServing === false ? ["--not-serving"] : []),
  ];
}
