/**
 * Polls Envoy at regular times, and continues the stories about servers: when
 * Envoy took one out, what that cost, and when it was back.
 */
import { pause } from "../io/wait.ts";
import { Follow, type Lost, type Sight } from "./follow.ts";
import type { Story } from "./stories.ts";
import type { Watch } from "./watch.ts";

/** How often Envoy is polled. */
export const LOOK_MS = 250;

/** The longest that a story waits for a condition. */
const UNTIL_LIMIT_MS = 20_000;

/** The regular polls of one stack's Envoy. */
export class Looks {
  readonly #watch: Watch;
  readonly #lost: () => Lost;
  readonly #onLook: () => void;
  readonly #follows = new Map<Story, { server: string; follow: Follow }>();
  #isLooking = false;
  #isClosed = false;

  /**
   * @param lost Our callers' lost calls so far.
   * @param onLook Called after each poll.
   */
  constructor(watch: Watch, lost: () => Lost, onLook: () => void) {
    this.#watch = watch;
    this.#lost = lost;
    this.#onLook = onLook;
  }

  /** Polls once, unless the last poll is still running or Envoy is replaced. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#watch.askEnvoy();
    this.#isLooking = false;
    for (const [story, { server, follow }] of this.#follows) {
      follow.see(this.#sight(server));
      story.tell(follow.text(), !follow.isOver);
      if (follow.isOver) this.#follows.delete(story);
    }
    this.#onLook();
  }

  /** From now on nothing is waited for. */
  close(): void {
    this.#isClosed = true;
  }

  /** What has been retried and lost so far. */
  sums(): Pick<Sight, "retries" | "lost"> {
    return { retries: this.#watch.envoy.retries, lost: { ...this.#lost() } };
  }

  /** Tells a story about a server until it is back. */
  follow(story: Story, server: string, what: string): void {
    const follow = new Follow(what, this.#sight(server));
    this.#follows.set(story, { server, follow });
  }

  /** Leaves a story to whoever ends it. */
  unfollow(story: Story): void {
    this.#follows.delete(story);
  }

  /** Replaces or restarts Envoy between two polls. */
  async without(work: () => Promise<void>): Promise<void> {
    while (this.#isLooking) await pause(1);
    this.#isLooking = true;
    try {
      await this.#watch.askEnvoy();
      await work();
      this.#watch.noteNewEnvoy();
    } finally {
      this.#isLooking = false;
    }
  }

  /** Waits until the polls show a condition, for at most 20 s. */
  async until(isTrue: () => boolean): Promise<void> {
    const limitAtMs = performance.now() + UNTIL_LIMIT_MS;
    while (!isTrue() && performance.now() < limitAtMs && !this.#isClosed) {
      await pause(LOOK_MS);
    }
  }

  #sight(server: string): Sight {
    const found = this.#watch.servers().find(({ name }) => name === server);
    return {
      atMs: performance.now(),
      process: found?.process ?? "stopped",
      envoy: found?.envoy ?? "not in DNS",
      ...this.sums(),
    };
  }
}
