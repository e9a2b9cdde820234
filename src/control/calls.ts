/** Parses what callers and Envoy print about calls. */
import type { CallRecord } from "../core/caller.ts";
import type { Listener, SeenCall } from "./state.ts";

/** A line of the balanced listener's access log, as envoy.yaml formats it. */
const ACCESS_LOG =
  /^\d\d:\d\d:\d\d\.\d{3} \/\S* (\S+) flags=(\S+) server=(\S+) tried=(\S+) attempts=(\d+) (\d+)ms$/;

/** Turns Envoy's "-" into "". */
function orNothing(text: string): string {
  return text === "-" ? "" : text;
}

/** Turns "DeadlineExceeded" into gRPC's spelling; "-" means no status. */
function statusOfLog(word: string): string {
  if (word === "-") return "UNKNOWN";
  return word.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()
    .replace("CANCELED", "CANCELLED");
}

/**
 * Parses a line that Envoy printed.
 *
 * @param nameOf Maps an address to its server's name.
 * @returns Undefined when it is not about a call.
 */
export function callOfAccessLog(
  line: string,
  nameOf: (address: string) => string,
): SeenCall | undefined {
  const [, status, flags, server, tried, attempts, latencyMs] =
    ACCESS_LOG.exec(line) ?? [];
  if (status === undefined || flags === undefined) return undefined;
  const last = orNothing(server ?? "");
  const known = orNothing(tried ?? "").split(",").filter((one) => one !== "");
  if (last !== "" && known.at(-1) !== last) known.push(last);
  const names = known.map(nameOf);
  // Envoy does not name a host that it could not connect to.
  const unnamed = Math.max(0, Number(attempts) - names.length);
  return {
    listener: "l7",
    servers: [...Array<string>(unnamed).fill(""), ...names],
    status: statusOfLog(status),
    flags: orNothing(flags),
    latencyMs: Number(latencyMs),
  };
}

/** The events that our client prints with --json. */
export type ClientEvent =
  | ({ readonly type: "call" } & CallRecord)
  /** A stream has begun: its first message has arrived. */
  | { readonly type: "open"; readonly call: number; readonly server: string }
  | { readonly type: "news"; readonly news: string };

/**
 * Parses a line that our client printed with --json.
 *
 * @returns Undefined when it is not an event.
 */
export function clientEvent(line: string): ClientEvent | undefined {
  // What is no JSON is why it cannot go on.
  if (!line.startsWith("{")) return { type: "news", news: line };
  try {
    const event = JSON.parse(line) as ClientEvent;
    return ["call", "open", "news"].includes(event.type) ? event : undefined;
  } catch {
    return undefined; // Truncated, because it was too long.
  }
}

/** Converts a call of our client for viewers. */
export function seenCall(call: CallRecord, listener: Listener): SeenCall {
  const isReply = call.kind === "reply";
  return {
    listener,
    servers: isReply ? [call.server] : [],
    status: isReply ? "OK" : call.code,
    flags: "",
    latencyMs: call.latencyMs,
  };
}
