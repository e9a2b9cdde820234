/** A real browser for tests: Chromium, without a window. */
import assert from "node:assert/strict";
import { waitUntil } from "../src/io/wait.ts";
import { testWhere, type TestWithNeeds } from "./needs.ts";
import { type Run, start } from "./programs.ts";

/** The same program under its names. */
const COMMANDS = ["chromium", "chromium-browser", "google-chrome"];

const LIMIT_MS = 60_000;

const STOP_LIMIT_MS = 10_000;

const browser = COMMANDS.find((command) => {
  try {
    return new Deno.Command(command, { args: ["--version"] })
      .outputSync().success;
  } catch {
    return false;
  }
});

/** A test that needs a browser. */
export const browserTest: TestWithNeeds = testWhere(
  "the tests in a browser",
  browser === undefined ? `there is no ${COMMANDS.join(", ")}` : undefined,
);

/**
 * Opens an address and keeps it open until `done` resolves; nothing of the
 * browser is left.
 *
 * @param hostRules Names and the addresses that they have in this browser, as
 * `--host-resolver-rules` wants them.
 */
export async function browse<T>(
  url: string,
  done: Promise<T>,
  hostRules = "",
): Promise<T> {
  const profile = await Deno.makeTempDir();
  const run = start(browser ?? "", [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
    ...["--disable-background-networking", "--disable-dev-shm-usage"],
    ...[`--user-data-dir=${profile}`, `--host-resolver-rules=${hostRules}`],
    url,
  ]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      done,
      run.ended.then((code) => {
        throw new Error(`The browser ended with ${code}:\n${run.text()}`);
      }),
      new Promise<never>((_, reject) => {
        const words = `The page did not end within ${LIMIT_MS} ms`;
        timer = setTimeout(
          () => reject(new Error(`${words}:\n${run.text()}`)),
          LIMIT_MS,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
    await stop(run);
    await Deno.remove(profile, { recursive: true });
  }
}

/** A thing on the page, as assistive technology is told of it. */
export interface Accessible {
  readonly role: string;
  readonly name: string;
  /** Its states, for example "focusable" and "live". */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A node of Chromium's accessibility tree. */
interface AxNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly properties?: readonly {
    readonly name: string;
    readonly value: { readonly value?: unknown };
  }[];
}

/** A page that is open, driven by Chromium's own protocol. */
export interface Tab {
  /** What an expression gives, which may be a promise. */
  evaluate<T>(expression: string): Promise<T>;
  /** Clicks on the first element that a selector finds. */
  click(selector: string): Promise<void>;
  /** The text of the first element that a selector finds; "" if none. */
  text(selector: string): Promise<string>;
  /** Resolves when the expression is true. @throws When it never is. */
  until(expression: string, limitMs?: number): Promise<void>;
  /** What assistive technology is told of, in the page's order. */
  accessible(): Promise<readonly Accessible[]>;
  /** What the page has complained of: errors, refused loads. */
  readonly complaints: readonly string[];
}

/** A page shows a state within a second; a busy machine takes longer. */
const UNTIL_LIMIT_MS = 30_000;

/** Opens an address in a tab, lets `work` drive it, and closes the browser. */
export async function drive<T>(
  url: string,
  work: (tab: Tab) => Promise<T>,
): Promise<T> {
  const profile = await Deno.makeTempDir();
  const run = start(browser ?? "", [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"],
    ...["--disable-background-networking", "--disable-dev-shm-usage"],
    ...[`--user-data-dir=${profile}`, "--remote-debugging-port=0"],
    "about:blank",
  ]);
  try {
    await run.printed(/DevTools listening on ws:\S+/);
    const [, host = ""] = /listening on ws:\/\/([^/]+)/.exec(run.text()) ?? [];
    const tabs = await (await fetch(`http://${host}/json`)).json() as {
      readonly type: string;
      readonly webSocketDebuggerUrl: string;
    }[];
    const found = tabs.find(({ type }) => type === "page");
    assert.ok(found, "Chromium has no tab");
    const protocol = new Protocol(found.webSocketDebuggerUrl);
    await protocol.opened;
    try {
      await protocol.ask("Runtime.enable");
      await protocol.ask("Log.enable");
      await protocol.ask("Page.navigate", { url });
      return await work(tabOf(protocol));
    } finally {
      await protocol.close();
    }
  } finally {
    await stop(run);
    await Deno.remove(profile, { recursive: true });
  }
}

/** Chromium's protocol over one WebSocket. */
class Protocol {
  readonly opened: Promise<void>;
  readonly complaints: string[] = [];
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, (answer: unknown) => void>();
  #lastId = 0;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.opened = new Promise((resolve) =>
      this.#socket.onopen = () => resolve()
    );
    this.#socket.onmessage = ({ data }) => {
      const { id, method, result, params } = JSON.parse(data);
      this.#asked.get(id)?.(result);
      this.#asked.delete(id);
      const isComplaint = method === "Runtime.exceptionThrown" ||
        (method === "Log.entryAdded" && params.entry.level === "error");
      if (isComplaint) this.complaints.push(JSON.stringify(params));
    };
  }

  ask(method: string, params: object = {}): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.#asked.set(id, resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.onclose = () => resolve();
      this.#socket.close();
    });
  }
}

function tabOf(protocol: Protocol): Tab {
  const evaluate = async <T>(expression: string) => {
    const answer = await protocol.ask("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as {
      readonly result: { readonly value?: T };
      readonly exceptionDetails?: unknown;
    };
    const { exceptionDetails } = answer;
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return answer.result.value as T;
  };
  const quoted = (selector: string) => JSON.stringify(selector);
  return {
    evaluate,
    complaints: protocol.complaints,
    click: (selector) =>
      evaluate(`document.querySelector(${quoted(selector)}).click()`),
    accessible: async () => {
      const { nodes } = await protocol.ask("Accessibility.getFullAXTree") as {
        readonly nodes: readonly AxNode[];
      };
      return nodes.filter(({ ignored }) => !ignored).map((node) => ({
        role: node.role?.value ?? "",
        name: node.name?.value ?? "",
        properties: Object.fromEntries(
          (node.properties ?? []).map(({ name, value }) => [name, value.value]),
        ),
      }));
    },
    text: (selector) =>
      evaluate(
        `document.querySelector(${quoted(selector)})?.textContent.trim() ?? ""`,
      ),
    until: async (expression, limitMs = UNTIL_LIMIT_MS) => {
      const isTrue = await waitUntil(
        () => evaluate<boolean>(`Boolean(${expression})`),
        limitMs,
      );
      assert.ok(isTrue, `never true: ${expression}`);
    },
  };
}

/** Ends the browser and what it has started. */
async function stop(run: Run): Promise<void> {
  run.process.kill("SIGTERM");
  await run.ended;
  const isGone = await waitUntil(
    () => run.leftovers().length === 0,
    STOP_LIMIT_MS,
  );
  assert.ok(isGone, `left: ${run.leftovers().join("\n")}`);
}
