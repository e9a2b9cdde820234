/** The way to the running stack: what it tells, and what it is asked. */

/** @typedef {import("../../control/state.ts").Messages} Messages */
/** @typedef {import("../../control/actions.ts").Action} Action */

/** State comes twice a second; after this silence the page says so. */
const SILENCE_MS = 2000;

/** After this silence the connection is given up and made anew. */
const RECONNECT_MS = 4000;

const LOOK_MS = 250;

/** @type {readonly (keyof Messages)[]} */
const NAMES = [
  "hello",
  "state",
  "second",
  "calls",
  "story",
  "excerpts",
  "end",
];

const token = tokenOf(document);

/** @param {Document} page */
function tokenOf(page) {
  return page.querySelector("meta[name=token]")?.getAttribute("content") ?? "";
}

/**
 * Listens for as long as the page is open, and connects again by itself.
 *
 * @param {{ [Name in keyof Messages]: (message: Messages[Name]) => void }}
 * handlers
 * @param {(silentMs: number | null) => void} lost Told how long nothing has
 * come, again and again; null when messages come again.
 */
export function listen(handlers, lost) {
  let heardAt = performance.now();
  let isLost = false;
  let source = connect();

  function connect() {
    const made = new EventSource("/events");
    for (const name of NAMES) {
      made.addEventListener(name, (event) => {
        heardAt = performance.now();
        if (isLost) {
          isLost = false;
          lost(null);
          reloadIfOther();
        }
        handlers[name](JSON.parse(event.data));
      });
    }
    return made;
  }

  let triedAt = heardAt;
  setInterval(() => {
    const now = performance.now();
    const silentMs = now - heardAt;
    if (silentMs < SILENCE_MS) return;
    isLost = true;
    lost(silentMs);
    const isClosed = source.readyState === EventSource.CLOSED;
    const triedMs = now - Math.max(triedAt, heardAt);
    if (triedMs < (isClosed ? RECONNECT_MS / 4 : RECONNECT_MS)) return;
    triedAt = now;
    source.close();
    source = connect();
  }, LOOK_MS);
}

/** Another stack at the same address has another page and another token. */
async function reloadIfOther() {
  const answer = await fetch("/").catch(() => undefined);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(
    await answer.text(),
    "text/html",
  );
  if (tokenOf(page) !== token) location.reload();
}

/**
 * Asks for a change. What came of it is told as a story.
 *
 * @param {Action} action
 * @returns {Promise<void>}
 * @throws {Error} With the sentence that says why it was refused.
 */
export async function ask(action) {
  await post("/api/do", action);
}

/**
 * Asks for a change.
 *
 * @param {string} path
 * @param {object} wish
 * @returns {Promise<any>} What the stack answers.
 * @throws {Error} With the sentence that says why it was refused.
 */
export async function post(path, wish) {
  const headers = { "content-type": "application/json", "x-token": token };
  const body = JSON.stringify(wish);
  return await answered(fetch(path, { method: "POST", headers, body }));
}

/**
 * Asks what there is.
 *
 * @param {string} path
 * @returns {Promise<any>}
 * @throws {Error} With the sentence that says why there is nothing.
 */
export async function get(path) {
  return await answered(fetch(path));
}

/** @param {Promise<Response>} fetching */
async function answered(fetching) {
  const answer = await fetching.catch(() => {
    throw new Error(
      "Cannot reach the stack: it has ended or the network is down",
    );
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw new Error(
    typeof said.error === "string"
      ? said.error
      : `The stack answered ${answer.status} and no reason`,
  );
}
