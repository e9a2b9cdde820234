/**
 * A network that is dead is noticed soon, with the real clients: one that
 * accepts and never answers, and one that refuses.
 */
import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { onPath } from "../src/io/tools/path.ts";
import { Place } from "./_denow_place.ts";
import { ROOT, start } from "./programs.ts";
import { freePort } from "./stacks.ts";

/**
 * It takes 14 s at most, nearly all of it waiting, also on two cores with a load
 * of 6; the rest is for clients that start slowly. With the clients' own
 * settings it takes 80.
 */
const LIMIT_MS = 20_000;

/** A listener that accepts connections and says nothing. */
function listenSilently(): { port: number } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  void (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  return {
    port: listener.addr.port,
    [Symbol.dispose]: () => {
      listener.close();
      connections.forEach((connection) => connection.close());
    },
  };
}

/** The settings that send every client to a port, and wait as they like. */
function networkAt(port: number): Record<string, string> {
  const url = `http://127.0.0.1:${port}`;
  return {
    npm_config_registry: `${url}/`,
    PIP_INDEX_URL: `${url}/simple`,
    PIP_DEFAULT_TIMEOUT: "180",
    GOPROXY: url,
    GOSUMDB: "off",
    https_proxy: url,
    HTTPS_PROXY: url,
  };
}

/** PATH without the folders that have a program. */
function pathWithout(program: string): string {
  return (Deno.env.get("PATH") ?? "").split(delimiter)
    .filter((folder) => onPath(program, () => folder).length === 0)
    .join(delimiter);
}

for (const what of ["is silent", "refuses"] as const) {
  Deno.test(`denow says soon that the network ${what}`, async () => {
    await using place = await Place.make();
    using silent = listenSilently();
    const port = what === "refuses" ? freePort() : silent.port;
    const startedMs = performance.now();
    const { code, stderr } = await place.run(["--version"], {
      env: { ...networkAt(port), PATH: pathWithout("deno") },
    });
    const tookMs = performance.now() - startedMs;
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^denow: Cannot fetch Deno .*check the network/m);
    assert.ok(tookMs < LIMIT_MS, `it took ${tookMs} ms:\n${stderr}`);
    assert.deepEqual(place.toolNames(), []);
  });

  Deno.test(`denow says soon that packages cannot come as the network ${what}`, async () => {
    await using place = await Place.make();
    using silent = listenSilently();
    const port = what === "refuses" ? freePort() : silent.port;
    await Deno.copyFile(
      join(ROOT, "deno.lock"),
      join(place.project, "deno.lock"),
    );
    const startedMs = performance.now();
    const run = start(
      join(place.project, "denow"),
      ["task", "up"],
      { ...networkAt(port), DENO: Deno.execPath(), DENO_DIR: "" },
    );
    assert.equal(await run.ended, 3, run.text());
    const tookMs = performance.now() - startedMs;
    assert.match(
      run.text(),
      what === "refuses"
        ? /^denow: Cannot fetch the npm packages \(Failed .*\); check/m
        : /^denow: Cannot fetch the npm packages \(nothing has come for 10 s\)/m,
    );
    assert.ok(tookMs < LIMIT_MS, `it took ${tookMs} ms:\n${run.text()}`);
    assert.deepEqual(run.leftovers(), []);
    assert.deepEqual(place.toolNames(), []);
  });

  for (const tool of ["envoy", "k6"] as const) {
    Deno.test(`findTool() says soon that ${tool} cannot come as the network ${what}`, async () => {
      using silent = listenSilently();
      const port = what === "refuses" ? freePort() : silent.port;
      const folder = await Deno.makeTempDir({ prefix: "dead-network-test-" });
      const startedMs = performance.now();
      const run = start(Deno.execPath(), [
        "eval",
        `import { findTool } from "${ROOT}src/io/tools.ts";
         import { exitWithFailure } from "${ROOT}src/io/program.ts";
         await findTool("${tool}", { folder: "${folder}" })
           .catch((error) => exitWithFailure("test", error));`,
      ], {
        ...networkAt(port),
        PATH: pathWithout(tool),
        [tool.toUpperCase()]: "",
      });
      assert.equal(await run.ended, 3, run.text());
      const tookMs = performance.now() - startedMs;
      assert.match(
        run.text(),
        /^test: Cannot fetch .*; check the network, or /,
      );
      assert.ok(tookMs < LIMIT_MS, `it took ${tookMs} ms:\n${run.text()}`);
      assert.deepEqual([...Deno.readDirSync(folder)], []);
      assert.deepEqual(run.leftovers(), []);
      await Deno.remove(folder, { recursive: true });
    });
  }
}
