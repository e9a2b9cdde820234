/** One call of the client. */
import { printableName } from "../core/printable.ts";
import type { GreeterClient } from "../io/proto.ts";
import { callToEnd } from "../io/rpc.ts";
import type { ClientConfig } from "./config.ts";

/** How one call ended. */
export type Outcome =
  | { readonly kind: "reply"; readonly server: string; readonly number: number }
  | { readonly kind: "error"; readonly code: string; readonly details: string };

/** One call, as it is recorded. */
export type CallRecord = Outcome & {
  /** The call's running number, from 1. */
  readonly call: number;
  readonly latencyMs: number;
};

/**
 * Makes a call and records it.
 *
 * @param call Its running number.
 * @param now The clock, in milliseconds.
 */
export async function makeCall(
  client: GreeterClient,
  { deadlineMs, workMs }: Pick<ClientConfig, "deadlineMs" | "workMs">,
  call: number,
  now: () => number,
): Promise<CallRecord> {
  const startedAtMs = now();
  const request = { name: "world", workMs };
  const { reply, status, details } = await callToEnd(
    client,
    "SayHello",
    request,
    { deadlineMs },
  );
  const latencyMs = now() - startedAtMs;
  if (reply === undefined) {
    return { kind: "error", code: status, details, call, latencyMs };
  }
  const { server, number } = reply;
  return {
    kind: "reply",
    server: printableName(server),
    number,
    call,
    latencyMs,
  };
}
