import assert from "node:assert/strict";
import { processesOf } from "./daemon.ts";

const OURS = "/run/ours";

function row(pid: number, ...words: string[]): string {
  return `/proc/${pid}/cmdline:${words.map((word) => `${word}\0`).join("")}`;
}

Deno.test("processesOf() finds engines by their path, and nothing else", () => {
  const listing = [
    row(10, "dockerd", "--data-root=/x", `--exec-root=${OURS}`),
    row(11, "containerd", "--config", `${OURS}/containerd/containerd.toml`),
    row(
      12,
      "/usr/bin/containerd-shim-runc-v2",
      "-address",
      `${OURS}/containerd/containerd.sock`,
    ),
    row(13, "dockerd", "--exec-root=/run/docker"),
    row(14, "dockerd", `--exec-root=${OURS}-other`),
    row(15, "vi", `${OURS}/containerd/containerd.toml`),
    row(16, "sh", "-c", `grep ${OURS}`),
    row(17, "/usr/bin/containerd", "--root", `${OURS}/x/containerd`, "--debug"),
    "",
  ].join("\n");
  assert.deepEqual(processesOf(OURS, listing), [10, 11, 12, 17]);
});
