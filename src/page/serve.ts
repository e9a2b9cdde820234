/**
 * The live page and the interface behind it, for people and programs of this
 * machine: it listens on 127.0.0.1, knows its own names only, and changes
 * something only for whoever has the token of this run.
 */
import { Failure, messageOf } from "../core/errors.ts";
import type { Control } from "../control/control.ts";
import { Refusal } from "../control/actions.ts";
import type { Messages } from "../control/state.ts";
import { FILES, PAGE } from "./files.ts";
import type { LessonDesk } from "./lessons.ts";
import { Outbox, parcel } from "./outbox.ts";

const HOST = "127.0.0.1";

/** Where the page is unless another program is there. */
export const PAGE_PORT_DEFAULT = 8000;

/** The longest action has less. */
const BODY_BYTES_MAX = 4096;

/** A room full of people, and what each of them has left open. */
const VIEWERS_MAX = 200;

/** A page that is served. */
export interface ServedPage {
  /** "http://localhost:8000/" */
  readonly url: string;
  readonly token: string;
  /** Ends it; viewers are told by the end of their stream. */
  close(): Promise<void>;
}

const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'; " +
    "base-uri 'none'; form-action 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

function answer(body: BodyInit, type: string, status = 200): Response {
  return new Response(body, {
    status,
    headers: { ...SAFE_HEADERS, "content-type": `${type}; charset=utf-8` },
  });
}

function answerJson(value: unknown, status = 200): Response {
  return answer(JSON.stringify(value), "application/json", status);
}

function refuse(status: number, error: string): Response {
  return answerJson({ error }, status);
}

/** The work's value as JSON, or why there is none. */
async function answered(work: () => Promise<unknown>): Promise<Response> {
  try {
    return answerJson(await work());
  } catch (error) {
    if (error instanceof Refusal) return refuse(422, error.message);
    if (error instanceof Failure) return refuse(502, error.message);
    throw error;
  }
}

/** A body up to its limit. @returns Undefined when it is longer. */
async function textOf(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let left = BODY_BYTES_MAX;
  for await (const chunk of request.body ?? []) {
    left -= chunk.byteLength;
    if (left < 0) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Serves the page of one control. */
class Page {
  readonly #control: Control;
  readonly #lessons: LessonDesk;
  readonly #token: string;
  readonly #outboxes = new Set<Outbox>();
  #removeViewer = () => {};
  readonly #hello = () => parcel("hello", this.#control.hello());
  /** The names by which this machine may be asked. */
  names: ReadonlySet<string> = new Set();

  constructor(control: Control, lessons: LessonDesk, token: string) {
    this.#control = control;
    this.#lessons = lessons;
    this.#token = token;
  }

  /** Ends every stream and check: the server would wait for them. */
  close(): void {
    this.#lessons.close();
    this.#removeViewer();
    for (const outbox of this.#outboxes) outbox.close();
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const complaint = this.#complaintOf(request);
    if (complaint !== undefined) return refuse(403, complaint);
    if (pathname === "/api/do") {
      const who = request.headers.has("origin") ? "page" : "ctl";
      return await this.#do(request, async (wish) => ({
        story: await this.#control.ask(who, wish),
      }));
    }
    if (pathname === "/api/lesson") {
      return await this.#do(request, (wish) => this.#lessons.ask(wish));
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return refuse(405, `${request.method} means nothing here`);
    }
    if (pathname === "/") {
      return answer(PAGE.replace("{{token}}", this.#token), "text/html");
    }
    if (pathname === "/events") return this.#events(request);
    if (pathname === "/api/state") return answerJson(this.#control.state());
    if (pathname === "/api/lessons") {
      return await answered(() => this.#lessons.state());
    }
    const file = FILES[pathname];
    if (file === undefined) return refuse(404, "There is nothing of that name");
    return answer(file.text, file.type);
  }

  /** Another site's page, or another name for this machine, gets nothing. */
  #complaintOf({ headers }: Request): string | undefined {
    const host = headers.get("host") ?? "";
    if (!this.names.has(host)) {
      return "This page answers to the name localhost only";
    }
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    const isOther = (origin !== null && origin !== `http://${host}`) ||
      (site !== null && site !== "same-origin" && site !== "none");
    return isOther ? "Other pages may not ask here" : undefined;
  }

  /** Changes something, for whoever has the token. */
  async #do(
    request: Request,
    work: (wish: unknown) => Promise<unknown>,
  ): Promise<Response> {
    if (request.method !== "POST") {
      return refuse(405, "Actions are asked for with POST");
    }
    if (request.headers.get("x-token") !== this.#token) {
      return refuse(401, "The token of this run is missing or wrong; reload");
    }
    if (request.headers.get("content-type") !== "application/json") {
      return refuse(415, "An action is JSON: content-type: application/json");
    }
    const text = await textOf(request);
    if (text === undefined) {
      return refuse(413, `An action has at most ${BODY_BYTES_MAX} bytes`);
    }
    let wish: unknown;
    try {
      wish = JSON.parse(text);
    } catch {
      return refuse(400, "What was sent is not JSON");
    }
    return await answered(() => work(wish));
  }

  #events(request: Request): Response {
    if (this.#outboxes.size >= VIEWERS_MAX) {
      return refuse(503, `${VIEWERS_MAX} viewers are looking already`);
    }
    if (this.#outboxes.size === 0) {
      this.#removeViewer = this.#control.addViewer({
        ...{ state: this.#put("state"), second: this.#put("second") },
        ...{ calls: this.#put("calls"), story: this.#put("story") },
        ...{ excerpts: this.#put("excerpts"), end: this.#put("end") },
      });
    }
    const outbox = new Outbox(this.#hello);
    this.#outboxes.add(outbox);
    const remove = () => {
      this.#outboxes.delete(outbox);
      if (this.#outboxes.size === 0) this.#removeViewer();
    };
    request.signal.addEventListener("abort", remove);
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const bytes = await outbox.take();
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: remove,
    }, { highWaterMark: 0 });
    return answer(stream, "text/event-stream");
  }

  /** Puts messages of a kind into every outbox. */
  #put<K extends keyof Messages>(name: K): (message: Messages[K]) => void {
    return (message) => {
      const one = parcel(name, message);
      for (const outbox of this.#outboxes) outbox.put(one);
    };
  }
}

/**
 * Serves the page.
 *
 * @param port 0: 8000, or any free port if that is taken.
 * @throws {Failure} `environment` when the port is taken.
 */
export function servePage(
  control: Control,
  lessons: LessonDesk,
  port: number,
): ServedPage {
  const token = crypto.randomUUID();
  const page = new Page(control, lessons, token);
  const server = listen(port, (request) => page.answer(request));
  const place = server.addr.port;
  page.names = new Set(
    ["localhost", HOST, "[::1]"].map((name) => `${name}:${place}`),
  );
  return {
    url: `http://localhost:${place}/`,
    token,
    close: async () => {
      page.close();
      await server.shutdown();
    },
  };
}

function listen(
  port: number,
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  const options = {
    hostname: HOST,
    onListen: () => {},
    onError: (error: unknown) => refuse(500, messageOf(error)),
  };
  try {
    return Deno.serve({ ...options, port: port || PAGE_PORT_DEFAULT }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    if (port === 0) return Deno.serve({ ...options, port: 0 }, handler);
    throw new Failure(
      "environment",
      `Cannot listen on ${HOST}:${port}: the port is taken; choose another ` +
        "with --page-port, or do without with --no-page",
      { cause: error },
    );
  }
}
