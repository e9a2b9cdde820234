/** What callers and Envoy print about calls, read. */
import type { CallRecord } from "../core/caller.ts";
import type { Listener, SeenCall } from "./state.ts";

/** A line of the access log of envoy.yaml's balanced listener. */
const ACCESS_LOG =
  /^\d\d:\d\d:\d\d\.\d{3} \/\S* (\S+) flags=(\S+) server=(\S+) tried=(\S+) attempts=(\d+) (\d+)ms$/;

/** Envoy's dash for nothing. */
function orNothing(text: string): string {
  return text === "-" ? "" : text;
}

/** "DeadlineExceeded" as gRPC spells it; "-" if there was no status. */
function statusOfLog(word: string): string {
  if (word === "-") return "UNKNOWN";
  return word.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()
    .replace("CANCELED", "CANCELLED");
}

/**
 * Reads a line that Envoy has printed.
 *
 * @param nameOf The name of the server at an address.
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

/** What our client prints with --json. */
export type ClientEvent =
  | ({ readonly type: "call" } & CallRecord)
  /** A stream has begun: its first message has come. */
  | { readonly type: "open"; readonly call: number; readonly server: string }
  | { readonly type: "news"; readonly news: string };

/**
 * Reads a line that our client has printed with --json.
 *
 * @returns Undefined when it is none of these.
 */
export function clientEvent(line: string): ClientEvent | undefined {
  // What is no JSON is why it cannot go on.
  if (!line.startsWith("{")) return { type: "news", news: line };
  try {
    const event = JSON.parse(line) as ClientEvent;
    return ["call", "open", "news"].includes(event.type) ? event : undefined;
  } catch {
    return undefined; // Cut off, as it was too long.
  }
}

/** A call of our client, as it is shown. */
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
