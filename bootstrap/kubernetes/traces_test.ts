import assert from "node:assert/strict";
import { RUN_FOLDER } from "./configuration.ts";
import { clusterProcesses } from "./traces.ts";

function row(pid: number, ...words: string[]): string {
  return `/proc/${pid}/cmdline:${words.map((word) => `${word}\0`).join("")}`;
}

Deno.test("clusterProcesses() finds ours by their folder, and nothing else", () => {
  const listing = [
    row(10, "containerd", `--config=${RUN_FOLDER}/containerd.toml`),
    row(
      11,
      "/usr/bin/containerd-shim-runc-v2",
      "-address",
      `${RUN_FOLDER}/containerd.sock`,
    ),
    row(12, "/tools/kubelet", `--config=${RUN_FOLDER}/kubelet.json`),
    row(13, "/tools/etcd", `--data-dir=${RUN_FOLDER}/etcd`),
    row(14, "/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"),
    row(15, "containerd", "--config", "/run/grpc-demo-docker/containerd.toml"),
    row(16, "etcd", `--data-dir=${RUN_FOLDER}-other/etcd`),
    row(17, "sh", "-c", `grep ${RUN_FOLDER}/`),
    row(18, "vi", `${RUN_FOLDER}/kubelet.json`),
    "",
  ].join("\n");
  assert.deepEqual(clusterProcesses(listing), [10, 11, 12, 13]);
});
