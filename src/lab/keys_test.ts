import assert from "node:assert/strict";
import { serverState, stateOf } from "../control/_state.ts";
import { Refusal } from "../control/actions.ts";
import { LOAD_AT_FIRST } from "../control/callers.ts";
import type { Listener, ServerState } from "../control/state.ts";
import { Keys } from "./keys.ts";

/** Keys of a stack, and what they have asked for and said. */
function keysOf(
  { servers = 3, own = {}, listeners = ["l7"], url, canShow = true }: {
    readonly servers?: number;
    /** Of server-2. */
    readonly own?: Partial<ServerState>;
    readonly listeners?: readonly Listener[];
    readonly url?: string;
    readonly canShow?: boolean;
  } = {},
) {
  const asked: unknown[] = [];
  const said: string[] = [];
  const shown: string[] = [];
  const state = stateOf(servers);
  const keys = new Keys(
    {
      state: () => ({
        ...state,
        servers: state.servers.map((one) =>
          one.name === "server-2" ? serverState(2, own) : one
        ),
      }),
      load: { ...LOAD_AT_FIRST, listeners },
      ask: (who, wish) => {
        asked.push([who, wish]);
        return Promise.resolve(1);
      },
    },
    {
      url,
      quit: () => void said.push("(quit)"),
      say: (line) => void said.push(line),
    },
    (url) => {
      shown.push(url);
      return Promise.resolve(canShow);
    },
  );
  const press = async (typed: string) => {
    for (const key of typed) await keys.press(key);
  };
  return { press, asked, said, shown };
}

const ON_SERVER = {
  k: (server: string) => ({ do: "kill", server }),
  t: (server: string) => ({ do: "terminate", server }),
  r: (server: string) => ({ do: "restart", server }),
  c: (server: string) => ({ do: "clear", server }),
  p: (server: string) => ({ do: "pause", server }),
  s: (server: string) => ({
    ...{ do: "fault", server },
    fault: { kind: "delay", delayMs: 200, durationMs: 15_000 },
  }),
  f: (server: string) => ({
    ...{ do: "fault", server },
    fault: { kind: "status", durationMs: 15_000 },
  }),
} as const;

for (const [key, wishOf] of Object.entries(ON_SERVER)) {
  Deno.test(`${key} is for the chosen server, and for the first until one is chosen`, async () => {
    const { press, asked, said } = keysOf();
    await press(`${key}2${key}`);
    assert.deepEqual(asked, [
      ["keys", wishOf("server-1")],
      ["keys", wishOf("server-2")],
    ]);
    assert.deepEqual(said, ["server-2 is selected"]);
  });
}

Deno.test("p resumes a paused server", async () => {
  const { press, asked } = keysOf({ own: { process: "paused" } });
  await press("2p");
  assert.deepEqual(asked, [["keys", { do: "resume", server: "server-2" }]]);
});

Deno.test("0 chooses the tenth server", async () => {
  const { press, asked, said } = keysOf({ servers: 10 });
  await press("0k9k");
  assert.deepEqual(said, ["server-10 is selected", "server-9 is selected"]);
  assert.deepEqual(asked, [
    ["keys", { do: "kill", server: "server-10" }],
    ["keys", { do: "kill", server: "server-9" }],
  ]);
});

Deno.test("the number of a server that is not there chooses none", async () => {
  const { press, asked, said } = keysOf();
  await press("240k");
  assert.deepEqual(said, [
    ...[
      "server-2 is selected",
      "there is no server 4",
      "there is no server 10",
    ],
  ]);
  assert.deepEqual(asked, [["keys", { do: "kill", server: "server-2" }]]);
});

Deno.test("+ and - scale by one", async () => {
  const { press, asked } = keysOf();
  await press("+-");
  assert.deepEqual(asked, [
    ["keys", { do: "scale", count: 4 }],
    ["keys", { do: "scale", count: 2 }],
  ]);
});

for (
  const [now, next] of [
    [["l7"], ["l4"]],
    [["l4"], ["l7", "l4"]],
    [["l7", "l4"], ["l7"]],
    [[], ["l7"]],
  ] as const
) {
  Deno.test(`l turns calls to "${now}" into calls to "${next}"`, async () => {
    const { press, asked } = keysOf({ listeners: now });
    await press("l");
    assert.deepEqual(asked, [["keys", {
      ...{ do: "load", load: { listeners: next } },
    }]]);
  });
}

Deno.test("h and ? list every key, within 80 columns", async () => {
  const { press, said } = keysOf();
  await press("h");
  const help = said.join("\n");
  for (
    const key of [...Object.keys(ON_SERVER), "0", "+ -", "l", "o", "q", "h"]
  ) {
    const escaped = key.replace("+", "\\+");
    assert.match(help, new RegExp(`(^|[ ,:] ?)${escaped} `, "m"), key);
  }
  for (const line of said) assert.ok(line.length <= 80 - 12, line);
  await press("?");
  assert.equal(said.length, 2 * help.split("\n").length);
});

Deno.test("o opens the page, or says where it is, or that there is none", async () => {
  const url = "http://localhost:8000/";
  for (
    const [given, words] of [
      [{ url }, []],
      [{ url, canShow: false }, [`open ${url} in a browser`]],
      [{}, ["there is no page, because of --no-page"]],
    ] as const
  ) {
    const { press, said, shown } = keysOf(given);
    await press("o");
    assert.deepEqual(said, words);
    assert.deepEqual(shown, "url" in given ? [url] : []);
  }
});

Deno.test("q quits; other keys do nothing", async () => {
  const { press, asked, said } = keysOf();
  await press("x K\x1b[A\r\n\t");
  assert.deepEqual([asked, said], [[], []]);
  await press("q");
  assert.deepEqual([asked, said], [[], ["(quit)"]]);
});

Deno.test("a refusal is said, and keys go on", async () => {
  const said: string[] = [];
  const keys = new Keys({
    state: () => stateOf(1),
    load: LOAD_AT_FIRST,
    ask: () => Promise.reject(new Refusal("count must be from 1 to 10")),
  }, { url: undefined, quit: () => {}, say: (line) => void said.push(line) });
  await keys.press("-");
  await keys.press("1");
  assert.deepEqual(said, [
    "count must be from 1 to 10",
    "server-1 is selected",
  ]);
});
