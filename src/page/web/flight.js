/** The way of one call through the picture, as arithmetic. */

/** @typedef {import("../../control/state.ts").SeenCall} SeenCall */

/** From a caller to a server, or back. */
const WAY_MS = 300;

/** How much of a call's latency it is seen to rest on its server. */
const REST_MS_MAX = 600;

/** Where Envoy begins and ends on the way from callers (0) to servers (1). */
export const ENVOY_FROM = 0.3;
export const ENVOY_TO = 0.44;

/** Where a try ends that reached no server that is known. */
const NOWHERE = 0.6;

/**
 * @typedef {object} Leg
 * @property {number} from From 0, the callers, to 1, a server.
 * @property {number} to
 * @property {string | undefined} server None: it ends in Envoy.
 * @property {"request" | "answer" | "failure"} what
 * @property {number} endMs Since the call set out.
 */

/**
 * The legs of a call. One that was retried fails on its first server, goes
 * back to Envoy and on to the next.
 *
 * @param {SeenCall} call
 * @returns {Leg[]}
 */
export function legsOf({ servers, status, latencyMs }) {
  const isOk = status === "OK";
  /** @type {Leg[]} */
  const legs = [];
  let endMs = 0;
  /**
   * @param {number} from
   * @param {number} to
   * @param {string | undefined} server
   * @param {Leg["what"]} what
   */
  const add = (from, to, server, what) => {
    endMs += Math.abs(to - from) * WAY_MS;
    legs.push({ from, to, server, what, endMs });
  };
  if (servers.length === 0) {
    add(0, ENVOY_FROM, undefined, "request");
    add(ENVOY_FROM, 0, undefined, isOk ? "answer" : "failure");
    return legs;
  }
  servers.forEach((server, index) => {
    const isLast = index === servers.length - 1;
    const end = server === "" ? NOWHERE : 1;
    add(index === 0 ? 0 : ENVOY_TO, end, server, "request");
    if (isLast && isOk) {
      endMs += Math.min(Math.max(latencyMs - 2 * WAY_MS / 10, 0), REST_MS_MAX);
      legs.push({ from: 1, to: 1, server, what: "request", endMs });
    }
    const what = isLast && isOk ? "answer" : "failure";
    add(end, isLast ? 0 : ENVOY_TO, server, what);
  });
  return legs;
}

/**
 * Where a call is.
 *
 * @param {readonly Leg[]} legs
 * @param {number} elapsedMs Since it set out.
 * @returns {{ index: number, at: number } | undefined} The leg, and the place
 * between callers (0) and servers (1); nothing once it is back.
 */
export function placeOf(legs, elapsedMs) {
  let startMs = 0;
  for (const [index, { from, to, endMs }] of legs.entries()) {
    if (elapsedMs < endMs) {
      const part = Math.max(elapsedMs - startMs, 0) / (endMs - startMs);
      return { index, at: from + (to - from) * part };
    }
    startMs = endMs;
  }
  return undefined;
}
