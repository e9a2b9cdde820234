/**
 * A place to run `denow` in, with fake clients instead of a network: a copy of
 * the script, a deno.json with the digest of a fake Deno, and a PATH that has
 * only what a test puts there.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };

/** The pinned version of Deno. */
export const VERSION = config.toolVersions.deno;

/** The commands of the system that denow and the fakes use. */
const COMMANDS = [
  ..."cat chmod cmp dirname du grep gzip head ls mkdir mkfifo mv".split(" "),
  ..."readlink rm sed seq sh sha256sum shasum sleep tail tar".split(" "),
];

/** A program that says it is Deno, and says how it was run. */
export function fakeDeno(version: string): string {
  return `#!/bin/sh
[ "$1" = --version ] && { echo "deno ${version} (fake)"; exit 0; }
[ "$1" = install ] && { echo "$*" >> "$DENO_DIR/installed"; exit 0; }
printf '<%s>' "$0" "$@"
echo " $PWD $DENO_TLS_CA_STORE $DENO_NO_UPDATE_CHECK $DENO_DIR"
exit 7
`;
}

/** A fake Deno of the pinned version; deno.json has its digest. */
export const FAKE_DENO = fakeDeno(VERSION);
const DIGEST = createHash("sha256").update(FAKE_DENO).digest("hex");

/** What a run of denow has left. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project's folder with denow in it, and a folder "bin" for PATH. */
export class Place implements AsyncDisposable {
  readonly project: string;
  readonly bin: string;
  readonly tools: string;

  constructor(readonly folder: string) {
    this.project = join(folder, "a project");
    this.bin = join(folder, "bin");
    this.tools = join(this.project, ".tools");
  }

  static async make(): Promise<Place> {
    const folder = await Deno.makeTempDir({ prefix: "denow-test-" });
    const place = new Place(await Deno.realPath(folder));
    await Deno.mkdir(place.project);
    await Deno.mkdir(place.bin);
    await Deno.copyFile(
      fileURLToPath(new URL("../denow", import.meta.url)),
      join(place.project, "denow"),
    );
    const text = await Deno.readTextFile(
      new URL("../deno.json", import.meta.url),
    );
    await Deno.writeTextFile(
      join(place.project, "deno.json"),
      text.replaceAll(
        /("deno-[a-z]+-[a-z0-9_]+": "sha256:)[^"]*/g,
        `$1${DIGEST}`,
      ),
    );
    for (const name of COMMANDS) {
      const path = [`/usr/bin/${name}`, `/bin/${name}`].find(existsSync);
      // Some have sha256sum, some have shasum.
      if (path !== undefined) await Deno.symlink(path, join(place.bin, name));
    }
    await place.write(
      "uname",
      '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo x86_64\n',
    );
    await place.write("ldd", '#!/bin/sh\necho "ldd (GNU libc) 2.36"\n');
    await place.write("../payload/package/deno", FAKE_DENO);
    return place;
  }

  /** Writes an executable file; a bare name goes to "bin". */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.bin, name);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, text, { mode: 0o755 });
    return path;
  }

  /** Puts a fake npm on PATH; `first` is what it does before it packs. */
  async writeNpm(first = ""): Promise<void> {
    await this.write(
      "npm",
      `#!/bin/sh
echo "npm warn a warning" >&2
${first}
[ "$1 $2" = "view @deno/linux-x64-glibc@${VERSION}" ] && exit
[ "$1 $2" = "pack @deno/linux-x64-glibc@${VERSION}" ] || exit 1
exec tar -czf deno.tgz -C "${this.folder}/payload" package
`,
    );
  }

  /** Puts a fake pip on PATH. */
  async writePip(): Promise<void> {
    await this.write(
      "pip3",
      `#!/bin/sh
for word; do [ "$was" = --target ] && target=$word; was=$word; done
[ "$1 $word" = "download deno==0+none" ] && exit 1
[ "$word" = "deno==${VERSION}" ] || exit 1
mkdir -p "$target/bin"
cat "${this.folder}/payload/package/deno" > "$target/bin/deno"
`,
    );
  }

  /** Starts denow, or `path`, with nothing in its environment but `env`. */
  start(
    args: readonly string[],
    options: { env?: Record<string, string>; cwd?: string; path?: string } = {},
  ): Deno.ChildProcess {
    return new Deno.Command(options.path ?? join(this.project, "denow"), {
      args: [...args],
      cwd: options.cwd ?? this.project,
      clearEnv: true,
      env: { PATH: this.bin, HOME: this.folder, ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Starts denow and waits for its end. */
  async run(...args: Parameters<Place["start"]>): Promise<Result> {
    return await resultOf(this.start(...args));
  }

  /** Deno's cache in the project. */
  get cache(): string {
    return join(this.tools, "deno-dir");
  }

  /**
   * The names in .tools, where temporary folders would be, too; without Deno's
   * cache.
   */
  toolNames(): string[] {
    return [...Deno.readDirSync(this.tools)].map((entry) => entry.name)
      .filter((name) => name !== "deno-dir").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Waits for the end of a run. */
export async function resultOf(child: Deno.ChildProcess): Promise<Result> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** What the fake Deno at `path` prints, run with "lint" and "a b". */
export function answerOf(
  path: string,
  place: Place,
  cwd = place.project,
): Result {
  return {
    code: 7,
    stdout: `<${path}><lint><a b> ${cwd} system,mozilla 1 ${place.cache}\n`,
    stderr: "",
  };
}

/** What denow says when it fetches Deno. */
export function fetching(client: "npm" | "pip"): string {
  return `fetching Deno ${VERSION} with ${client} ` +
    `(about ${config.toolMegabytes.deno} MB) ...`;
}
