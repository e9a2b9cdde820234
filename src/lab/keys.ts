/** The keys that control `up` in its terminal. */
import { messageOf } from "../core/errors.ts";
import { runToEnd } from "../io/processes.ts";
import type { Control } from "../control/control.ts";
import type { Listener } from "../control/state.ts";

/** What the keys need besides the control. */
export interface KeyOptions {
  /** The page's address; undefined without a page. */
  readonly url: string | undefined;
  readonly quit: () => void;
  readonly say: (line: string) => void;
}

/** A key's fault lasts long enough to be seen, and ends by itself. */
const FAULT_MS = 15_000;

const SLOW_MS = 200;

/** The server that the key 0 chooses. */
const TENTH = 10;

const HELP = [
  "1-9  select a server, 0 the tenth; then: k kill -9, t terminate,",
  "     r restart, p pause or resume, c clear faults, and for 15 s",
  `     s slow by ${SLOW_MS} ms, f fail calls`,
  "+ -  scale        l  calls to L7, L4 or both",
  "o    open the page        q  quit        h  this help",
];

/** The cycle of the key `l`. */
const NEXT_LISTENERS: Readonly<Record<string, readonly Listener[]>> = {
  l7: ["l4"],
  l4: ["l7", "l4"],
  "l7,l4": ["l7"],
};

/** What keys use of the control. */
type Controlled = Pick<Control, "ask" | "state" | "load">;

/** Turns keys into requests to the control. */
export class Keys {
  readonly #control: Controlled;
  readonly #options: KeyOptions;
  readonly #show: (url: string) => Promise<boolean>;
  #chosen = "server-1";

  /** @param show Opens an address in a browser, and says whether it could. */
  constructor(
    control: Controlled,
    options: KeyOptions,
    show: (url: string) => Promise<boolean> = showInBrowser,
  ) {
    this.#control = control;
    this.#options = options;
    this.#show = show;
  }

  /** Handles one key; unknown keys do nothing. */
  async press(key: string): Promise<void> {
    try {
      await this.#do(key);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      this.#options.say(messageOf(error));
    }
  }

  async #do(key: string): Promise<void> {
    const { say, quit } = this.#options;
    const wish = this.#wishOf(key);
    if (wish !== undefined) await this.#control.ask("keys", wish);
    else if (key === "h" || key === "?") HELP.forEach(say);
    else if (key === "q") quit();
    else if (key === "o") await this.#openPage();
    else if (/^[0-9]$/.test(key)) this.#choose(Number(key) || TENTH);
  }

  #wishOf(key: string): Record<string, unknown> | undefined {
    const server = this.#chosen;
    const { servers } = this.#control.state();
    const { process } = servers.find(({ name }) => name === server) ?? {};
    const fault = (fields: Record<string, unknown>) => ({
      do: "fault",
      server,
      fault: { durationMs: FAULT_MS, ...fields },
    });
    switch (key) {
      case "k":
        return { do: "kill", server };
      case "t":
        return { do: "terminate", server };
      case "r":
        return { do: "restart", server };
      case "c":
        return { do: "clear", server };
      case "p":
        return { do: process === "paused" ? "resume" : "pause", server };
      case "s":
        return fault({ kind: "delay", delayMs: SLOW_MS });
      case "f":
        return fault({ kind: "status" });
      case "+":
        return { do: "scale", count: servers.length + 1 };
      case "-":
        return { do: "scale", count: servers.length - 1 };
      case "l": {
        const { listeners } = this.#control.load;
        const next = NEXT_LISTENERS[listeners.join()] ?? ["l7"];
        return { do: "load", load: { listeners: next } };
      }
      default:
        return undefined;
    }
  }

  #choose(number: number): void {
    const name = this.#control.state().servers[number - 1]?.name;
    if (name === undefined) {
      this.#options.say(`there is no server ${number}`);
      return;
    }
    this.#chosen = name;
    this.#options.say(`${name} is selected`);
  }

  async #openPage(): Promise<void> {
    const { url, say } = this.#options;
    if (url === undefined) {
      say("there is no page, because of --no-page");
      return;
    }
    if (!await this.#show(url)) say(`open ${url} in a browser`);
  }
}

async function showInBrowser(url: string): Promise<boolean> {
  const opener = Deno.build.os === "darwin" ? "open" : "xdg-open";
  try {
    return (await runToEnd(opener, [url], { timeoutMs: 5000 })).code === 0;
  } catch {
    return false; // There is no such program.
  }
}

/**
 * Listens for keys if this program is in a terminal's foreground.
 *
 * @returns Releases the terminal.
 */
export function listenForKeys(
  control: Control,
  options: KeyOptions,
): () => void {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) return () => {};
  const end = new AbortController();
  void isInForeground().then((isOurs) => {
    if (!isOurs || end.signal.aborted) return;
    options.say("h lists the keys");
    return readKeys(new Keys(control, options), end.signal);
  });
  return () => end.abort();
}

async function readKeys(keys: Keys, signal: AbortSignal): Promise<void> {
  const setRaw = (isRaw: boolean) => {
    try {
      Deno.stdin.setRaw(isRaw, { cbreak: isRaw });
    } catch {
      // The terminal is gone.
    }
  };
  const takeAgain = () => setRaw(true);
  const letGo = () => setRaw(false);
  setRaw(true);
  // After Ctrl-Z the shell changes the terminal's mode.
  Deno.addSignalListener("SIGCONT", takeAgain);
  globalThis.addEventListener("unload", letGo);
  const reader = Deno.stdin.readable.getReader();
  signal.addEventListener("abort", () => {
    Deno.removeSignalListener("SIGCONT", takeAgain);
    letGo();
    void reader.cancel().catch(() => {});
  });
  const decoder = new TextDecoder();
  try {
    while (!signal.aborted) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const key of decoder.decode(value)) void keys.press(key);
    }
  } catch {
    // The terminal is gone; SIGHUP handles that.
  }
}

/** Prints the kernel's stat line of a process; Deno may not read /proc. */
const STAT = 'read -r line </proc/$0/stat; echo "$line"';

/** Whether this program has the terminal, unlike one started with "&". */
async function isInForeground(): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  const words = ["-c", STAT, String(Deno.pid)];
  const { stdout } = await runToEnd("/bin/sh", words);
  // "pid (name) state ppid pgrp session tty_nr tpgid …"
  const fields = stdout.slice(stdout.lastIndexOf(")") + 2).split(" ");
  return fields[2] === fields[5];
}
