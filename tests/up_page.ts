/** An `up` with its live page, for tests. */
import assert from "node:assert/strict";
import { request } from "node:http";
import type { State } from "../src/control/state.ts";
import { type Run, startSource } from "./programs.ts";
import { freePort } from "./stacks.ts";

/** An `up` with its page. */
export interface UpWithPage {
  readonly run: Run;
  readonly url: string;
  readonly token: string;
  state(): Promise<State>;
  /** Asks for something, as the page does. */
  ask(wish: unknown): Promise<Answer>;
}

/** An answer of the interface. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Starts `up`, lets `work` use it, and sees that nothing is left.
 *
 * @param lab Starts the lab with arguments (default: from source).
 */
export async function withUp(
  flags: readonly string[],
  work: (up: UpWithPage) => Promise<void>,
  lab: (...args: readonly string[]) => Run = (...args) =>
    startSource("lab", args),
): Promise<void> {
  const run = lab(
    ...["up", "--port", String(freePort()), "--admin-port", String(freePort())],
    // Containers have addresses, and ports, of their own.
    ...flags.includes("--docker") ? [] : ["--server-port", String(freePort())],
    ...["--page-port", String(freePort()), ...flags],
  );
  await run.printed(/live page +\S+\n/);
  const [, url = ""] = /live page +(\S+)/.exec(run.text()) ?? [];
  const { body } = await ask(url, "GET");
  const [, token = ""] = /name="token" content="([^"]+)"/.exec(body) ?? [];
  assert.notEqual(token, "");
  try {
    await work({
      ...{ run, url, token },
      state: async () =>
        JSON.parse((await ask(`${url}api/state`, "GET")).body) as State,
      ask: (wish) =>
        ask(`${url}api/do`, "POST", {
          headers: { "x-token": token, "content-type": "application/json" },
          body: JSON.stringify(wish),
        }),
    });
  } finally {
    run.process.kill("SIGINT");
  }
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(run.leftovers(), []);
}

/** One request, with whatever headers; fetch() would not send some. */
export function ask(
  url: string,
  method: string,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, headers: { ...options.headers }, agent: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => body += part);
        response.on(
          "end",
          () => resolve({ status: response.statusCode ?? 0, body }),
        );
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(options.body);
  });
}
