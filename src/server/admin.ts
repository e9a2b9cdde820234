/** The RPCs of the Admin service. */
import {
  type sendUnaryData,
  type ServerUnaryCall,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { messageOf } from "../core/errors.ts";
import { fromRequest } from "../io/fault_messages.ts";
import type { ServerCounters, SetFaultRequest } from "../io/proto.ts";
import type { Counters } from "./counters.ts";
import type { Faults } from "./faults.ts";
import { callError } from "./greeting.ts";

const NOT_ALLOWED =
  "Faults are not allowed on this server; start it with --allow-faults";

/**
 * Makes the handlers.
 *
 * @param faults Undefined when faults are not allowed.
 */
export function admin(
  counters: Counters,
  faults: Faults | undefined,
): UntypedServiceImplementation {
  const change = (
    callback: sendUnaryData<object>,
    work: (allowed: Faults) => void,
  ) => {
    if (faults === undefined) {
      callback(callError(status.FAILED_PRECONDITION, NOT_ALLOWED));
      return;
    }
    try {
      work(faults);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      callback(callError(status.INVALID_ARGUMENT, messageOf(error)));
      return;
    }
    callback(null, {});
  };
  return {
    getCounters: (
      _call: ServerUnaryCall<unknown, ServerCounters>,
      callback: sendUnaryData<ServerCounters>,
    ) => callback(null, counters.report()),
    setFault: (
      { request }: ServerUnaryCall<SetFaultRequest, object>,
      callback: sendUnaryData<object>,
    ) => change(callback, (allowed) => allowed.set(fromRequest(request))),
    clearFaults: (
      _call: ServerUnaryCall<object, object>,
      callback: sendUnaryData<object>,
    ) => change(callback, (allowed) => allowed.clear()),
  };
}
