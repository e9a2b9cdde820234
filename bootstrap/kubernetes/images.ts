/** Makes images without Docker: one program and nothing else. */
import { createHash } from "node:crypto";
import { runWell } from "../docker/machine.ts";

/**
 * Packs a static program as an image that containerd can import.
 *
 * @param program The path of the executable.
 * @param name The image's name, with its tag.
 * @param archive The file to make.
 */
export async function packImage(
  program: string,
  name: string,
  archive: string,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "grpc-demo-image-" });
  try {
    await Deno.mkdir(`${folder}/root`);
    await Deno.copyFile(program, `${folder}/root/program`);
    await Deno.chmod(`${folder}/root/program`, 0o755);
    const pack = (target: string, from: string, ...files: string[]) =>
      runWell("tar", [
        "--create",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        `--directory=${from}`,
        `--file=${target}`,
        ...files,
      ]);
    await pack(`${folder}/layer.tar`, `${folder}/root`, "program");
    const digest = createHash("sha256")
      .update(await Deno.readFile(`${folder}/layer.tar`)).digest("hex");
    const settings = {
      architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
      os: "linux",
      config: { Entrypoint: ["/program"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    };
    await Deno.writeTextFile(
      `${folder}/config.json`,
      JSON.stringify(settings),
    );
    await Deno.writeTextFile(
      `${folder}/manifest.json`,
      JSON.stringify([{
        Config: "config.json",
        RepoTags: [name],
        Layers: ["layer.tar"],
      }]),
    );
    await pack(archive, folder, "manifest.json", "config.json", "layer.tar");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The images that some node of a cluster lacks.
 *
 * @param wanted Names as in manifests: "grpc-demo-server".
 * @param nodes The full names of each node's images, as it reports them.
 */
export function missingImages(
  wanted: readonly string[],
  nodes: readonly (readonly string[])[],
): readonly string[] {
  return wanted.filter((name) =>
    !nodes.every((images) => images.includes(fullName(name)))
  );
}

/** An image's name with the registry, the folder and the tag that it implies. */
function fullName(name: string): string {
  const parts = name.split("/");
  const isHost = parts.length > 1 && /[.:]|^localhost$/.test(parts[0] ?? "");
  const folder = parts.length === 1 ? "library/" : "";
  const path = isHost ? name : `docker.io/${folder}${name}`;
  return /:[^/]*$/.test(path) ? path : `${path}:latest`;
}
