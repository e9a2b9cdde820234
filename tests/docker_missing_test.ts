/** What `up --docker` and `down` say without a working Docker. */
import assert from "node:assert/strict";
import { start } from "./programs.ts";
import { freePort } from "./stacks.ts";

/** Answers of a `docker` or `docker-compose` that is not the real one. */
type Fakes = Readonly<Record<string, string>>;

const RUNS = `case "$*" in
  "version --format {{.Server.Version}}") echo 27.0.1;;
  "compose version --short") echo 2.40.3;;
  *" config "*) echo '{"name":"demo"}';;
  "ps --all "*) ;;
  *) ${"{"} echo "$*"; exit 1; ${"}"};;
esac`;

/** Runs the lab with nothing on PATH but fakes, each a shell script. */
async function lab(
  args: readonly string[],
  fakes: Fakes,
): Promise<{ readonly code: number; readonly text: string }> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, script] of Object.entries(fakes)) {
      const path = `${folder}/${name}`;
      await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`);
      await Deno.chmod(path, 0o755);
    }
    const run = start(
      Deno.execPath(),
      ["run", "-q", "-P=lab", "src/lab.ts", ...args],
      { PATH: folder },
    );
    const code = await run.ended;
    assert.deepEqual(run.leftovers(), []);
    return { code, text: run.text().trim() };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const rows: readonly {
  readonly what: string;
  readonly fakes: Fakes;
  readonly message: RegExp;
}[] = [
  {
    what: "no docker",
    fakes: {},
    message:
      /^(up|down): Docker is not installed: "docker" is not on PATH; .*without --docker.*$/,
  },
  {
    what: "no engine",
    fakes: {
      docker:
        'echo "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?" >&2; exit 1',
    },
    message:
      /^(up|down): Docker is not running: Cannot connect to the Docker daemon at unix:\/\/\/x; start it, or.*$/,
  },
  {
    what: "no Compose",
    fakes: { docker: 'test "$1" = version && echo 27.0.1' },
    message:
      /^(up|down): Docker has no Compose; install the plugin "docker compose" of version 2, or.*$/,
  },
  {
    what: "Compose of version 1",
    fakes: {
      docker: 'test "$1" = version && echo 27.0.1',
      "docker-compose": "echo 1.29.2",
    },
    message:
      /^(up|down): Docker Compose is version 1\.29\.2 and must be 2 or newer; install.*$/,
  },
];

for (const { what, fakes, message } of rows) {
  for (const args of [["up", "--docker"], ["down"]]) {
    Deno.test(`${args.join(" ")} with ${what} says so in a sentence`, async () => {
      const { code, text } = await lab(args, fakes);
      assert.match(text, message);
      assert.equal(code, 3);
    });
  }
}

Deno.test("up --docker with a taken port says so before it builds", async () => {
  const port = freePort();
  const taken = Deno.listen({ hostname: "127.0.0.1", port });
  const args = ["up", "--docker", "--port", String(port)];
  const { code, text } = await lab(args, { docker: RUNS });
  taken.close();
  assert.equal(
    text,
    `up: Cannot listen on 127.0.0.1:${port}: the port is taken; stop what ` +
      "uses it (`./denow task down` stops the demo's containers) or choose " +
      "another with --port",
  );
  assert.equal(code, 3);
});

Deno.test("up --docker without registry and stand-in says how to make one", async () => {
  const unreached = RUNS.replace(
    "  *) ",
    `  *" up "*) echo 'Error Get "https://gcr.io/v2/": dial tcp: no such host' >&2; exit 1;;
  *" down "*) ;;
  *) `,
  );
  const ports = ["--port", `${freePort()}`, "--admin-port", `${freePort()}`];
  const { code, text } = await lab(
    ["up", "--docker", ...ports],
    { docker: unreached },
  );
  assert.match(
    text.split("\n").at(-1) ?? "",
    /^up: Cannot pull a base image: the registry gcr\.io cannot be reached; load .*README/,
  );
  assert.equal(code, 3);
});

for (
  const words of [["--server-port", "8090"], ["--discovery", "eds"]] as const
) {
  Deno.test(`up --docker ${words[0]} is refused`, async () => {
    const { code, text } = await lab(["up", "--docker", ...words], {});
    const refused = `up: ${words.join(" ")} has no effect with --docker`;
    assert.ok(text.startsWith(refused), text);
    assert.equal(code, 2);
  });
}
