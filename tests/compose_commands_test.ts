/** What people type with containers: the literal commands, and `up --docker`. */
import assert from "node:assert/strict";
import { waitUntil } from "../src/io/wait.ts";
import {
  dockerOutput,
  dockerTest,
  leftovers,
  newProject,
  removeImages,
  surroundings,
  upSurroundings,
} from "./containers.ts";
import {
  copyProject,
  type Run,
  start,
  startIn,
  startSource,
} from "./programs.ts";

/** The words of a command as people type it. */
function type(line: string, env: Readonly<Record<string, string>>): Run {
  const [command = "", ...args] = line.split(" ");
  return start(command, args, env);
}

async function takeDown(env: Readonly<Record<string, string>>): Promise<void> {
  const run = type("docker compose down --timeout 20", env);
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(await leftovers(env["COMPOSE_PROJECT_NAME"] ?? ""), []);
}

/**
 * Whether four calls in a row were answered by three servers in turn. A call
 * may fail: a binary with the stand-in for Deno's runtime is a poor client.
 */
function isInTurn(text: string): boolean {
  const servers = new Map(
    [...text.matchAll(/call (\d+) +(server-\d) +reply/g)]
      .map(([, call, server]) => [Number(call), server]),
  );
  return [...servers.keys()].some((call) => {
    const [a, b, c, d] = [0, 1, 2, 3].map((more) => servers.get(call + more));
    return d !== undefined && a === d && new Set([a, b, c]).size === 3 &&
      !new Set([b, c]).has(undefined);
  });
}

/** The commands of the README's section "With Docker". */
const [attached = "", detached = "", scaled = ""] =
  /\n## With Docker\n\n```sh\n([^]*?)\n```/.exec(
    await Deno.readTextFile("README.md"),
  )?.[1]?.split("\n") ?? [];

dockerTest(attached, async () => {
  const env = surroundings();
  const run = type(attached, env);
  try {
    await run.printed(/call 4 /);
    const hasTurns = await waitUntil(() => isInTurn(run.text()), 30_000);
    assert.ok(hasTurns, run.text());
    assert.equal(await adminStatus("127.0.0.1", env), 200);
    // Loopback has other addresses; the admin page is on none of them.
    assert.equal(await adminStatus("127.0.0.2", env), "refused");
  } finally {
    run.process.kill("SIGINT");
    await run.ended;
    await takeDown(env);
  }
});

async function adminStatus(
  host: string,
  env: Readonly<Record<string, string>>,
): Promise<number | "refused"> {
  try {
    const response = await fetch(`http://${host}:${env["ADMIN_PORT"]}/`, {
      signal: AbortSignal.timeout(5000),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return "refused";
  }
}

dockerTest(
  "docker compose up -d …, scaled while it runs, publishes on 127.0.0.1 only",
  async () => {
    const env = surroundings();
    try {
      for (
        const [line, servers] of [[detached, 3], [scaled, 5]] as const
      ) {
        const run = type(line, env);
        assert.equal(await run.ended, 0, run.text());
        const label = `label=com.docker.compose.project=${
          env["COMPOSE_PROJECT_NAME"]
        }`;
        const names = (await dockerOutput(
          ...["ps", "--filter", label, "--format", "{{.Names}} {{.Ports}}"],
        )).split("\n");
        assert.equal(names.length, servers + 1, names.join("\n"));
        assert.ok(!names.join().includes("grpc-client"));
        const published = names.join("\n").match(/\S+->/g) ?? [];
        assert.equal(published.length, 3);
        assert.ok(published.every((port) => port.startsWith("127.0.0.1:")));
      }
    } finally {
      await takeDown(env);
    }
  },
);

dockerTest(
  "compose.yaml has the ports and the one worker that the documents name",
  async () => {
    const config = JSON.parse(
      await dockerOutput("compose", "config", "--format", "json"),
    );
    const { ports, command } = config.services.envoy;
    assert.deepEqual(
      ports.map((
        { host_ip, published, target }: Record<string, string | number>,
      ) => `${host_ip}:${published}:${target}`),
      [
        "127.0.0.1:5000:5000",
        "127.0.0.1:5001:5001",
        "127.0.0.1:9901:9901",
      ],
    );
    // envoy.yaml says that the flags are here, and why there is one worker.
    const [, workers] = command.join(" ").match(/--concurrency (\d+)/) ?? [];
    assert.equal(workers, "1");
  },
);

dockerTest(
  "compose.yaml's profile tls adds one port, and gives each side its own files",
  async () => {
    const words = ["--profile", "tls", "config", "--format", "json"];
    const { services } = JSON.parse(await dockerOutput("compose", ...words));
    const added = ["certificates", "envoy-tls", "grpc-client-tls"];
    assert.deepEqual(
      added.map((name) => [
        services[name].ports?.map((
          { host_ip, published, target }: Record<string, string | number>,
        ) => `${host_ip}:${published}:${target}`),
        services[name].volumes.map((
          { source, read_only }: Record<string, string | boolean>,
        ) => `${source}${read_only ? ":ro" : ""}`),
      ]),
      [
        [undefined, ["tls-server", "tls-client"]],
        [["127.0.0.1:5443:5000"], ["tls-server:ro", "tls-server:ro"]],
        [undefined, ["tls-client:ro"]],
      ],
    );
    // The same Envoy; its configuration has the same place.
    assert.deepEqual(services["envoy-tls"].command, services.envoy.command);
    for (const name of added) {
      const { user, read_only, cap_drop } = services[name];
      assert.deepEqual([user, read_only, cap_drop], [
        "65532:65532",
        true,
        ["ALL"],
      ]);
    }
  },
);

dockerTest(
  "up --docker shows the client's calls, starts a killed server again; Ctrl-C leaves nothing",
  async () => {
    const { flags, env } = upSurroundings();
    const project = env["COMPOSE_PROJECT_NAME"] ?? "";
    const run = startSource("lab", ["up", "--docker", ...flags], env);
    await run.printed(/client +\| call 5 /);
    assert.match(run.text(), /server-3 +\| serving/);
    await dockerOutput("kill", `${project}-grpc-server-2`);
    await run.printed(/up +\| server-2 ended unexpectedly \(SIGKILL\)/);
    await run.printed(/ended unexpectedly[^]*server-2 +\| serving on/);
    run.process.kill("SIGINT");
    assert.equal(await run.ended, 0, run.text());
    assert.match(run.text(), /ready: 3 servers, all healthy/);
    assert.match(run.text(), /client +\| \d+ calls, [1-9]\d* succeeded/);
    assert.deepEqual(await leftovers(project), []);
    assert.deepEqual(run.leftovers(), []);
    await removeImages(project);
  },
);

dockerTest(
  "up --docker, interrupted while it starts, leaves nothing; down says so",
  async () => {
    const { flags, env } = upSurroundings();
    const project = env["COMPOSE_PROJECT_NAME"] ?? "";
    const run = startSource("lab", ["up", "--docker", ...flags], env);
    await run.printed(/Container \S+ +Start/);
    run.process.kill("SIGINT");
    assert.equal(await run.ended, 0, run.text());
    assert.deepEqual(await leftovers(project), []);
    assert.deepEqual(run.leftovers(), []);
    const down = startSource("lab", ["down"], env);
    assert.equal(await down.ended, 0);
    assert.match(
      down.text(),
      /^Nothing to stop: the demo has no containers here/,
    );
    await removeImages(project);
  },
);

/** A container's, or an image's, id. */
function idOf(name: string): Promise<string> {
  return dockerOutput("inspect", "--format", "{{.Id}}", name);
}

dockerTest(
  "two clones: neither touches the other's containers, images or ports",
  async () => {
    const place = await Deno.makeTempDir({ prefix: "clones-test-" });
    const [one, two] = [newProject(), newProject()];
    // The third has the first one's name, in another place.
    const folders = [`${place}/${one}`, `${place}/${two}`, `${place}/3/${one}`];
    await Promise.all(folders.map(copyProject));
    const [first = "", second = "", third = ""] = folders;
    const lab = [Deno.execPath(), "run", "-q", "-P=lab", "src/lab.ts"];
    const up =
      "docker compose up -d --build --scale grpc-server=1 envoy grpc-server"
        .split(" ");
    const ports = (): Record<string, string> => {
      const { GRPC_PORT = "", L4_PORT = "", ADMIN_PORT = "" } = surroundings();
      return { GRPC_PORT, L4_PORT, ADMIN_PORT };
    };
    const env = ports();
    const isSaid = async (
      folder: string,
      words: readonly string[],
      code: number,
      said: RegExp,
    ) => {
      const run = startIn(folder, words);
      assert.equal(await run.ended, code, run.text());
      assert.match(run.text(), said);
    };
    try {
      const running = startIn(first, up, env);
      assert.equal(await running.ended, 0, running.text());
      const names = [`${one}-server`, `${one}-envoy-1`, `${one}-grpc-server-1`];
      const before = await Promise.all(names.map(idOf));

      const flags = ["--port", `${env["GRPC_PORT"]}`, "--admin-port", "1"];
      await isSaid(
        second,
        [...lab, "up", "--docker", ...flags],
        3,
        /^up: Cannot listen on 127\.0\.0\.1:\d+: the port is taken; .*\n$/,
      );
      // Another program: the same name for its image would take it away.
      await Deno.writeTextFile(`${second}/src/core/more.ts`, "export {};\n");
      const beside = startIn(second, up, ports());
      assert.equal(await beside.ended, 0, beside.text());
      await isSaid(
        second,
        [...lab, "down"],
        0,
        /^Stopped and removed 2 containers\n$/,
      );
      const elsewhere = new RegExp(
        `^down: The containers of the Compose project "${one}" belong to the ` +
          `folder "${first}"; set COMPOSE_PROJECT_NAME to .*\\n$`,
      );
      await isSaid(third, [...lab, "down"], 3, elsewhere);
      assert.deepEqual(await Promise.all(names.map(idOf)), before);
      await isSaid(first, [...lab, "down"], 0, /2 containers/);
    } finally {
      for (const project of [one, two]) {
        await takeDown({ COMPOSE_PROJECT_NAME: project });
        await removeImages(project);
      }
      await Deno.remove(place, { recursive: true });
    }
  },
);
