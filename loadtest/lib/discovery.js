// Finds out which servers there are before anything is measured.
import exec from "k6/execution";
import { connectOnce, disconnect, sayHello } from "./greeter.js";

/**
 * The names of the servers that answer, sorted. Every call has a connection
 * of its own, so that servers behind a proxy that balances connections are
 * found as well. It ends when as many calls as there should be servers, ten
 * times over, have brought no new name.
 *
 * Stops the run with one sentence when a setting is wrong, nothing listens,
 * or what listens is not the demo's service.
 */
export function discoverServers(settings) {
  if (settings.problems.length > 0) {
    exec.test.abort(settings.problems.join("; "));
  }
  const { target } = settings;
  const names = [];
  const patience = 10 * settings.servers;
  for (let sinceNew = 0; sinceNew < patience; sinceNew += 1) {
    try {
      connectOnce(target);
    } catch (error) {
      exec.test.abort(
        `Nothing to test at ${target} (${reasonOf(error)}); start it with ` +
          '"deno task up --no-client" or "docker compose up", or set TARGET',
      );
    }
    const { isOk, server, error } = sayHello(settings, {});
    disconnect();
    if (!isOk) {
      exec.test.abort(`The first calls to ${target} must succeed: ${error}`);
    }
    if (server === "") {
      exec.test.abort(
        `Replies of ${target} have no header "x-server-name", so nobody ` +
          "can tell which server they come from; start the demo's own server",
      );
    }
    if (!names.includes(server)) {
      names.push(server);
      sinceNew = 0;
    }
  }
  return names.sort(byNumber);
}

/** "server-10" comes behind "server-9". */
function byNumber(a, b) {
  const number = (name) => Number((/[0-9]+$/.exec(name) || [0])[0]);
  return number(a) - number(b) || (a < b ? -1 : 1);
}

/** The last part of a nested error of k6: "connect: connection refused". */
function reasonOf(error) {
  return String(error.message || error).split(": ").slice(-1)[0]
    .replace(/["\\]/g, "");
}
