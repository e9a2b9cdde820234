/** What the last seconds say: shares, rates and losses. */

/** @typedef {import("../../control/state.ts").Second} Second */
/** @typedef {import("../../control/state.ts").Listener} Listener */

/** Seconds that count as now. */
export const RECENT_S = 10;

/** Seconds that are kept. */
export const KEPT_S = 300;

/**
 * Adds a second, and lets go of the oldest.
 *
 * @param {readonly Second[]} seconds In order of time.
 * @param {Second} second
 * @returns {Second[]}
 */
export function withSecond(seconds, second) {
  const others = seconds.filter(({ atMs }) => atMs !== second.atMs);
  return [...others, second].sort((a, b) => a.atMs - b.atMs).slice(-KEPT_S);
}

/**
 * @typedef {object} Shares
 * @property {number} total Answers of all servers.
 * @property {ReadonlyMap<string, number>} answers
 * @property {number} seconds How many are known, at most `RECENT_S`.
 */

/**
 * Who has answered in the last seconds.
 *
 * @param {readonly Second[]} seconds
 * @param {Listener} listener
 * @returns {Shares}
 */
export function sharesOf(seconds, listener) {
  const last = seconds.at(-1)?.atMs ?? 0;
  const recent = seconds.filter(({ atMs }) => atMs > last - RECENT_S * 1000);
  /** @type {Map<string, number>} */
  const answers = new Map();
  let total = 0;
  for (const second of recent) {
    for (const [server, count] of Object.entries(second.answers[listener])) {
      answers.set(server, (answers.get(server) ?? 0) + count);
      total += count;
    }
  }
  return { total, answers, seconds: recent.length };
}

/** Answers on each connection from which its server is told. */
const ANSWERS_PER_CONNECTION = 4;

/**
 * Divides connections among the servers that answer now. A balancer of
 * connections gives each to one server, and all of them carry the same load.
 *
 * @param {number} connections
 * @param {readonly Second[]} seconds
 * @param {Listener} listener
 * @returns {string[]} A server for each connection; none while nobody answers.
 */
export function connectionsByServer(connections, seconds, listener) {
  // As few seconds as will do: a new connection may have another server.
  let shares = sharesOf(seconds.slice(-1), listener);
  for (let count = 2; count <= RECENT_S; count++) {
    if (shares.total >= connections * ANSWERS_PER_CONNECTION) break;
    shares = sharesOf(seconds.slice(-count), listener);
  }
  const { total, answers } = shares;
  if (total === 0) return [];
  // In the order of names, so that no line changes places for nothing.
  const parts = [...answers].sort().map(([server, count]) => {
    const exact = count / total * connections;
    return { server, whole: Math.floor(exact), rest: exact % 1 };
  });
  let left = connections - parts.reduce((sum, { whole }) => sum + whole, 0);
  for (const part of [...parts].sort((a, b) => b.rest - a.rest)) {
    if (left === 0) break;
    part.whole += 1;
    left -= 1;
  }
  return parts.flatMap(({ server, whole }) =>
    Array.from({ length: whole }, () => server)
  );
}
