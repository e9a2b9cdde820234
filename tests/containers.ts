/** Containers for tests: side by side, always removed, skipped without Docker. */
import assert from "node:assert/strict";
import { runToEnd } from "../src/io/processes.ts";
import { type ComposeOptions, ComposeStack } from "../src/stack/compose.ts";
import { demoProject } from "../src/stack/compose_project.ts";
import { requireDocker } from "../src/stack/docker.ts";
import { testWhere, type TestWithNeeds } from "./needs.ts";
import { freePort } from "./stacks.ts";

const whyNot = await requireDocker().then(
  () => undefined,
  (error: Error) => error.message,
);

/** A test that needs Docker. */
export const dockerTest: TestWithNeeds = testWhere(
  "the tests in containers",
  whyNot,
);

/** What the names of this folder's images begin with; tests share them. */
export const IMAGES: string = whyNot === undefined ? await demoProject() : "";

let projects = 0;

/** A project name that no other test has. */
export function newProject(): string {
  projects += 1;
  return `grpc-demo-test-${Deno.pid}-${projects}`;
}

/** Ports of this test's own, as compose.yaml asks for them. */
export function newPorts(): {
  readonly grpcPort: number;
  readonly l4Port: number;
  readonly adminPort: number;
} {
  const grpcPort = freePort();
  return { grpcPort, l4Port: grpcPort + 1, adminPort: freePort() };
}

/** Runs `work` on a Compose stack of its own, which is removed afterwards. */
export async function withContainers(
  options: Partial<ComposeOptions>,
  work: (stack: ComposeStack, lines: readonly string[]) => Promise<void>,
): Promise<void> {
  const lines: string[] = [];
  const stack = await ComposeStack.start({
    servers: 3,
    ...newPorts(),
    project: newProject(),
    images: IMAGES,
    onLine: (program, line) => lines.push(`${program} | ${line}`),
    ...options,
  });
  try {
    await work(stack, lines);
  } finally {
    await stack.close();
  }
  assert.deepEqual(await leftovers(stack.project.name), []);
}

/** What a `docker` command that must succeed prints. */
export async function dockerOutput(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd("docker", args, {
    timeoutMs: 60_000,
  });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** Containers, networks and volumes of a project. */
export async function leftovers(project: string): Promise<readonly string[]> {
  const filter = [
    "--quiet",
    "--filter",
    `label=com.docker.compose.project=${project}`,
  ];
  const found = await Promise.all([
    dockerOutput("ps", "--all", ...filter),
    dockerOutput("network", "ls", ...filter),
    dockerOutput("volume", "ls", ...filter),
  ]);
  return found.join("\n").split("\n").filter((line) => line !== "");
}

/** Moves compose.yaml's literal commands beside whatever else runs here. */
export function surroundings(): Record<string, string> {
  const { grpcPort, l4Port, adminPort } = newPorts();
  return {
    COMPOSE_PROJECT_NAME: newProject(),
    IMAGE_PREFIX: IMAGES,
    GRPC_PORT: String(grpcPort),
    L4_PORT: String(l4Port),
    ADMIN_PORT: String(adminPort),
  };
}

/** What moves `up --docker` beside whatever else runs here. */
export function upSurroundings(): {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const { GRPC_PORT = "", ADMIN_PORT = "", ...env } = surroundings();
  return { flags: ["--port", GRPC_PORT, "--admin-port", ADMIN_PORT], env };
}

/** The images of a project of a test's own. */
export async function removeImages(project: string): Promise<void> {
  for (const program of ["server", "client"]) {
    await dockerOutput("image", "rm", "--force", `${project}-${program}`);
  }
}
