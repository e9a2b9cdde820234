/** Watches for an Envoy that was told to send its callers away. */
import { pause } from "../io/wait.ts";
import type { EnvoyAdmin } from "./envoy_admin.ts";

/** Somebody who does it by hand does not look at the terminal any sooner. */
const INTERVAL_MS = 2000;

const STOPPED = "listener_manager.listener_stopped";

/** What keeps a running Envoy from its callers. */
type EnvoyTrouble = "drained" | "failing";

/** The message about it, with the remedy. */
function wordsFor(trouble: EnvoyTrouble | undefined, adminUrl: string): string {
  if (trouble === undefined) return "Envoy passes its health check again";
  return trouble === "drained"
    ? "Envoy was drained and no longer listens for callers; start again"
    : "Envoy was told to fail its health check and sends its callers away; " +
      `curl -X POST -H "x-grpc-demo: yes" ${adminUrl}healthcheck/ok undoes it`;
}

/**
 * Asks Envoy.
 *
 * @returns Undefined when nothing keeps Envoy from its callers.
 * @throws {Failure} `environment` when it does not answer.
 */
async function troubleOf(
  admin: Pick<EnvoyAdmin, "stats">,
  hasPredecessor: boolean,
): Promise<EnvoyTrouble | undefined> {
  const stats = await admin.stats(`^(server\\.live|${STOPPED})$`);
  // A replaced Envoy has stopped its listeners, too, and its successor counts
  // that.
  if (!hasPredecessor && (stats.get(STOPPED) ?? 0) > 0) return "drained";
  return stats.get("server.live") === 0 ? "failing" : undefined;
}

/**
 * Polls Envoy until the signal is aborted, and says in one line when it was
 * drained or told to fail its health check, and when that is over.
 *
 * @param say Receives each line.
 * @param options `intervalMs` is the polling interval (default 2000);
 * `hasPredecessor` says whether this Envoy has replaced another (default
 * never).
 */
export async function watchEnvoy(
  admin: Pick<EnvoyAdmin, "stats" | "url">,
  say: (line: string) => void,
  options: {
    readonly signal: AbortSignal;
    readonly intervalMs?: number;
    readonly hasPredecessor?: () => boolean;
  },
): Promise<void> {
  const { signal, intervalMs = INTERVAL_MS } = options;
  const { hasPredecessor = () => false } = options;
  let before: EnvoyTrouble | undefined;
  while (!signal.aborted) {
    try {
      const now = await troubleOf(admin, hasPredecessor());
      if (now !== before) say(wordsFor(now, admin.url));
      before = now;
    } catch {
      // It is unreachable for a moment, or has ended: others report that.
    }
    await pause(intervalMs, signal);
  }
}
