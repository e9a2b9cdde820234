/** Watches whether somebody has told Envoy to send its callers away. */
import { pause } from "../io/wait.ts";
import type { EnvoyAdmin } from "./envoy_admin.ts";

/** Whoever does it by hand does not look at the terminal sooner. */
const INTERVAL_MS = 2000;

const STOPPED = "listener_manager.listener_stopped";

/** What keeps an Envoy that runs from its callers. */
type EnvoyTrouble = "drained" | "failing";

/** What is said of it, and how it ends. */
function wordsFor(trouble: EnvoyTrouble | undefined, adminUrl: string): string {
  if (trouble === undefined) return "Envoy passes its health check again";
  return trouble === "drained"
    ? "Envoy was drained: it listens to callers no more; start again"
    : "Envoy was told to fail its health check and sends its callers away; " +
      `curl -X POST -H "x-grpc-demo: yes" ${adminUrl}healthcheck/ok ends that`;
}

/**
 * Asks Envoy.
 *
 * @returns undefined when nothing keeps it from its callers.
 * @throws {Failure} `environment` when it does not answer.
 */
async function troubleOf(
  admin: Pick<EnvoyAdmin, "stats">,
  hasPredecessor: boolean,
): Promise<EnvoyTrouble | undefined> {
  const stats = await admin.stats(`^(server\\.live|${STOPPED})$`);
  // An Envoy that was replaced has stopped its listeners, too, and its
  // successor counts that.
  if (!hasPredecessor && (stats.get(STOPPED) ?? 0) > 0) return "drained";
  return stats.get("server.live") === 0 ? "failing" : undefined;
}

/**
 * Asks Envoy again and again until the signal is aborted, and says in one line
 * when it was drained or told to fail its health check, and when that is over.
 *
 * @param say Is given each line.
 * @param options `intervalMs` is the time between two questions (default 2000);
 * `hasPredecessor` says whether this Envoy has replaced another (default never).
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
      // It is away for a moment, or has ended: others say so.
    }
    await pause(intervalMs, signal);
  }
}
