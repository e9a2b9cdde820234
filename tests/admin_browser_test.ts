/** What a web page can do to Envoy by its admin page, with a real browser. */
import assert from "node:assert/strict";
import { request } from "node:http";
import type { Stack } from "../src/stack/stack.ts";
import { openAdmin, stateOf, UNTOUCHED } from "./admin_states.ts";
import { browse, browserTest } from "./browser.ts";
import { withStack } from "./stacks.ts";
import hostilePage from "./hostile_page.html" with { type: "text" };

/** What the page says about its attempts. */
interface Report {
  readonly tried: number;
  /** Those whose answer it could read. */
  readonly read: readonly string[];
}

/** A name whose owner gives it this machine's address: DNS rebinding. */
const REBOUND = "rebound.test";

/** The admin interface answers within milliseconds. */
const ANSWER_LIMIT_MS = 2000;

/** Passes a request on as it is, with its own host name. */
async function passOn(asked: Request, adminUrl: string): Promise<Response> {
  const { pathname, search } = new URL(asked.url);
  const sent = new Uint8Array(await asked.arrayBuffer());
  const options = {
    method: asked.method,
    headers: Object.fromEntries(asked.headers),
    agent: false,
    timeout: ANSWER_LIMIT_MS,
  };
  const url = `${adminUrl.slice(0, -1)}${pathname}${search}`;
  return await new Promise((resolve) => {
    const refuse = () => resolve(new Response(null, { status: 502 }));
    request(url, options, (answer) => {
      let body = "";
      answer.on("data", (chunk) => body += chunk);
      answer.on(
        "end",
        () => resolve(new Response(body, { status: answer.statusCode ?? 502 })),
      );
    }).on("error", refuse).on("timeout", refuse).end(sent);
  });
}

/**
 * Lets a page attack the admin page, once as a page of another origin, once by
 * DNS rebinding: then the admin page is of the attacker's own origin.
 */
async function attack({ admin }: Stack): Promise<Report> {
  let onReport = (_: Report) => {};
  const ended = new AbortController();
  const server = Deno.serve({
    signal: ended.signal,
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (asked) => {
    const { pathname, hostname } = new URL(asked.url);
    if (pathname === "/report") {
      onReport(await asked.json());
      return new Response();
    }
    if (pathname === "/hostile") {
      const headers = { "content-type": "text/html" };
      return new Response(hostilePage, { headers });
    }
    return hostname === REBOUND
      ? await passOn(asked, admin.url)
      : new Response(null, { status: 404 });
  });
  const { port } = server.addr;
  const adminPort = new URL(admin.url).port;
  const others = [`http://localhost:${adminPort}`, admin.url.slice(0, -1)];
  const reports: Report[] = [];
  try {
    for (
      const [page, bases] of [
        [`http://127.0.0.1:${port}`, others],
        [`http://${REBOUND}:${port}`, [...others, `http://${REBOUND}:${port}`]],
      ] as const
    ) {
      const query = bases.map((base) => `base=${encodeURIComponent(base)}`);
      const report = new Promise<Report>((resolve) => onReport = resolve);
      reports.push(
        await browse(
          `${page}/hostile?${query.join("&")}`,
          report,
          `MAP ${REBOUND} 127.0.0.1`,
        ),
      );
    }
  } finally {
    ended.abort(); // What the browser left open is ended, too.
    await server.finished;
  }
  return {
    tried: reports.reduce((sum, { tried }) => sum + tried, 0),
    read: reports.flatMap(({ read }) => read),
  };
}

/** Requests that the real admin interface has answered, with this one. */
async function answered({ admin }: Stack): Promise<number> {
  const name = "http.admin.downstream_rq_total";
  return (await admin.stats(`^${name}$`)).get(name) ?? 0;
}

browserTest(
  "a page in a browser can neither read nor change Envoy",
  async () => {
    await withStack({ servers: 1 }, async (stack) => {
      const before = await answered(stack);
      const { tried, read } = await attack(stack);
      assert.ok(tried >= 100, `${tried} attempts`);
      assert.deepEqual(read, []);
      // Not one of them has reached the interface itself.
      assert.equal(await answered(stack), before + 1);
      assert.deepEqual(await stateOf(stack), UNTOUCHED);
      const received = "http.admin_page.downstream_rq_total";
      const stats = await stack.admin.stats(`^${received}$`);
      assert.ok((stats.get(received) ?? 0) >= tried / 2, "they came");
    });
  },
);

browserTest(
  "control: it changes and reads an interface with a port",
  async () => {
    await withStack({ servers: 1, config: openAdmin() }, async (stack) => {
      const { read } = await attack(stack);
      const { isReady, stopped } = await stateOf(stack);
      assert.equal(isReady, false);
      assert.equal(stopped, 2);
      assert.ok(read.length > 0, "by DNS rebinding");
    });
  },
);
