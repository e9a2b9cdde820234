/** What is said of a server's state, in words. */

/** @typedef {import("../../control/state.ts").ServerState} ServerState */
/** @typedef {import("../../control/state.ts").Listener} Listener */

/**
 * The kinds of fault, as people would say them.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const FAULT_WORDS = {
  status: "fails calls",
  delay: "slow",
  hang: "hangs",
  drop: "drops connections",
  refuse: "refuses connections",
  health: "says unhealthy",
  cpu: "busy processor",
};

/**
 * For example "1 server" or "3 servers".
 *
 * @param {number} count
 * @param {string} what One of them.
 * @returns {string}
 */
export function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * A kind of fault as people would say it.
 *
 * @param {string} kind
 * @returns {string}
 */
export function faultWord(kind) {
  return FAULT_WORDS[kind] ?? kind;
}

/**
 * Seconds until then, for example "12 s"; "now" when that is over.
 *
 * @param {number} untilMs Milliseconds since 1970, by the stack's clock.
 * @param {number} nowMs The same.
 * @returns {string}
 */
export function secondsLeft(untilMs, nowMs) {
  const seconds = Math.ceil((untilMs - nowMs) / 1000);
  return seconds > 0 ? `${seconds} s` : "now";
}

/**
 * What Envoy makes of it, with the time of an ejection.
 *
 * @param {ServerState} server
 * @param {number} nowMs
 * @returns {string}
 */
export function envoyWord({ envoy, ejectedUntilMs }, nowMs) {
  return envoy === "ejected" && ejectedUntilMs !== null
    ? `ejected, ${secondsLeft(ejectedUntilMs, nowMs)}`
    : envoy;
}

/**
 * Whether a listener gives it no new work. Only the balanced cluster ejects.
 *
 * @param {ServerState} server
 * @param {Listener} listener
 * @returns {boolean}
 */
export function isOut({ process, envoy }, listener) {
  if (process === "stopped" || process === "starting") return true;
  if (envoy === "ejected") return listener === "l7";
  return envoy !== "healthy" && envoy !== "unknown";
}

/**
 * What is unusual about a server, seen through a listener; "" if nothing is.
 *
 * @param {ServerState} server
 * @param {Listener} listener
 * @param {number} nowMs
 * @returns {string}
 */
export function unusual(server, listener, nowMs) {
  const { process, envoy, faults } = server;
  const isSaid = envoy !== "healthy" &&
    !(envoy === "ejected" && listener === "l4") &&
    !(envoy === "not in DNS" && process === "stopped");
  return [
    process === "running" ? "" : process,
    isSaid ? envoyWord(server, nowMs) : "",
    ...faults.map(({ kind }) => faultWord(kind)),
  ].filter((word) => word !== "").join(" · ");
}
