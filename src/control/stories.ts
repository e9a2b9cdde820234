/** The event log: requests and incidents, and what followed. */
import type { StoryState } from "./state.ts";

/** Older stories are dropped. */
const STORIES_KEPT = 500;

/** A story in progress. */
export interface Story {
  readonly id: number;
  /** Replaces the text; `isOpen` says whether more is to come. */
  tell(text: string, isOpen: boolean): void;
}

/** All stories of a run. */
export class Stories {
  readonly #now: () => number;
  readonly #onChange: (story: StoryState) => void;
  readonly #kept = new Map<number, StoryState>();
  #lastId = 0;

  /**
   * @param onChange Called with each new or changed story.
   * @param now Milliseconds since 1970.
   */
  constructor(
    onChange: (story: StoryState) => void,
    now: () => number = Date.now,
  ) {
    this.#onChange = onChange;
    this.#now = now;
  }

  /** The kept stories, oldest first. */
  get kept(): readonly StoryState[] {
    return [...this.#kept.values()];
  }

  /**
   * Begins a story.
   *
   * @param who Who asked for it; "" if nobody did.
   * @param isOpen Whether more is to come (default false).
   */
  begin(who: string, text: string, isOpen = false): Story {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#set({ id, atMs: this.#now(), who, text, isOpen });
    return {
      id,
      tell: (newText, isStillOpen) => {
        const old = this.#kept.get(id);
        if (old === undefined) return; // It was dropped.
        if (old.text === newText && old.isOpen === isStillOpen) return;
        this.#set({ ...old, text: newText, isOpen: isStillOpen });
      },
    };
  }

  #set(story: StoryState): void {
    this.#kept.set(story.id, story);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > STORIES_KEPT && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
    this.#onChange(story);
  }
}
