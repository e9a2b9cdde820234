/** What callers and Envoy print about calls, read. */
import { printableName } from "../core/printable.ts";
import type { Listener, SeenCall } from "./state.ts";

/** A line of the access log of envoy.yaml's balanced listener. */
const ACCESS_LOG =
  /^\d\d:\d\d:\d\d\.\d{3} \/\S* (\S+) flags=(\S+) server=(\S+) tried=(\S+) attempts=(\d+) (\d+)ms$/;

/** Envoy's dash for nothing. */
function orNothing(text: string): string {
  return text === "-" ? "" : text;
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
    status: orNothing(status) || "UNKNOWN",
    flags: orNothing(flags),
    latencyMs: Number(latencyMs),
  };
}

/** A call as our client tells it with --json. */
interface CallEvent {
  readonly type: "call";
  readonly kind: "reply" | "error";
  readonly server?: string;
  readonly code?: string;
  readonly latencyMs: number;
}

/**
 * Reads a line that our client has printed with --json.
 *
 * @returns Undefined when it is not about a call that has ended.
 */
export function callOfClient(
  line: string,
  listener: Listener,
): SeenCall | undefined {
  if (!line.startsWith("{")) return undefined;
  let event: Partial<CallEvent>;
  try {
    event = JSON.parse(line);
  } catch {
    return undefined; // Cut off, as it was too long.
  }
  if (event.type !== "call") return undefined;
  const isReply = event.kind === "reply";
  return {
    listener,
    servers: isReply ? [printableName(String(event.server))] : [],
    status: isReply ? "OK" : String(event.code),
    flags: "",
    latencyMs: Number(event.latencyMs),
  };
}
