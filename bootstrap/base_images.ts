/**
 * Ensures that the base images of Dockerfile and compose.yaml exist: pulls them
 * or, where no registry can be reached, builds stand-ins under the same names
 * from Debian, npm and PyPI packages.
 */
import config from "../deno.json" with { type: "json" };
import { Failure } from "../src/core/errors.ts";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { lastLine, runToEnd } from "../src/io/processes.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { findTool } from "../src/io/tools.ts";
import { findStandInDenort } from "./denort.ts";
import { makeDebianRoot, NONROOT_ID, packRoot } from "./docker/debian_root.ts";
import { DOCKER_FOLDER, hasDebianPackages, runWell } from "./docker/machine.ts";

/** A base image, and how to build a stand-in for it. */
export interface BaseImage {
  /** Its name and tag, as Dockerfile or compose.yaml has them. */
  readonly name: string;
  /** Debian packages whose files make up its root folder. */
  readonly packages: readonly string[];
  /** Adds what is not from Debian. */
  readonly fill?: (root: string) => Promise<void>;
  /** Its settings, as Dockerfile instructions. */
  readonly settings: readonly string[];
}

/** The label of stand-ins; its value names the image they stand in for. */
export const STAND_IN_LABEL = "grpc-demo.stand-in-for";

const PATH_SETTING =
  "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const NONROOT_SETTINGS = [
  PATH_SETTING,
  "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
  `USER ${NONROOT_ID}`,
  "WORKDIR /home/nonroot",
];

/** What a program linked against glibc and C++ needs. */
const RUNTIME_PACKAGES = [
  "base-files",
  "gcc-12-base",
  "libc6",
  "libgcc-s1",
  "libstdc++6",
  "netbase",
  "tzdata",
];

/** The Dockerfile's RUN needs a shell, with its dependencies. */
const SHELL_PACKAGES = [
  "coreutils",
  "dash",
  "libacl1",
  "libattr1",
  "libgmp10",
  "libpcre2-8-0",
  "libselinux1",
  "libssl3",
];

/** The base images. */
export const BASE_IMAGES: readonly BaseImage[] = [
  {
    name: "gcr.io/distroless/cc-debian12:nonroot",
    packages: RUNTIME_PACKAGES,
    settings: NONROOT_SETTINGS,
  },
  {
    name: `envoyproxy/envoy:distroless-v${config.toolVersions.envoy}`,
    packages: RUNTIME_PACKAGES,
    fill: addEnvoy,
    settings: [
      ...NONROOT_SETTINGS,
      "EXPOSE 10000",
      'ENTRYPOINT ["/usr/local/bin/envoy"]',
      'CMD ["-c", "/etc/envoy/envoy.yaml"]',
    ],
  },
  {
    name: `grafana/k6:${config.toolVersions.k6}`,
    packages: RUNTIME_PACKAGES,
    fill: async (root) => {
      const { path } = await findTool("k6", { onProgress: print });
      await addProgram(path, root, "/usr/bin/k6");
    },
    settings: [
      PATH_SETTING,
      "USER 12345",
      'ENTRYPOINT ["k6"]',
    ],
  },
  {
    name: `denoland/deno:debian-${config.toolVersions.deno}`,
    packages: [...RUNTIME_PACKAGES, ...SHELL_PACKAGES],
    fill: addDeno,
    settings: [
      PATH_SETTING,
      "ENV DENO_DIR=/deno-dir/",
      // The certificates of the machine that built the image.
      "ENV DENO_TLS_CA_STORE=system",
      "ENV DENORT_BIN=/usr/local/lib/denort",
      "ENV DENORT_DENO=/usr/local/lib/deno-of-denort",
    ],
  },
];

async function addEnvoy(root: string): Promise<void> {
  const { path } = await findTool("envoy", { onProgress: print });
  await addProgram(path, root, "/usr/local/bin/envoy");
  await Deno.mkdir(`${root}/etc/envoy`, { recursive: true });
}

async function addDeno(root: string): Promise<void> {
  await addProgram(Deno.execPath(), root, "/usr/bin/deno");
  const { denort, deno } = await findStandInDenort();
  await addProgram(denort, root, "/usr/local/lib/denort");
  await addProgram(deno, root, "/usr/local/lib/deno-of-denort");
  await Deno.mkdir(`${root}/deno-dir`);
}

async function addProgram(
  path: string,
  root: string,
  place: string,
): Promise<void> {
  const target = `${root}${place}`;
  await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), {
    recursive: true,
  });
  await Deno.copyFile(path, target);
  await Deno.chmod(target, 0o755);
}

/** Pulling 250 MB over a slow line; an unreachable registry fails in 30 s. */
const PULL_LIMIT_MS = 900_000;

const LOCAL_LIMIT_MS = 60_000;

/** What the engine has under an image's name. */
export type LocalImage = "none" | "real" | "stand-in";

/** Looks for an image in the engine, without a registry. */
export async function localImage(name: string): Promise<LocalImage> {
  const { code, stdout } = await runToEnd("docker", [
    "image",
    "inspect",
    "--format",
    `{{index .Config.Labels "${STAND_IN_LABEL}"}}`,
    name,
  ], { timeoutMs: LOCAL_LIMIT_MS });
  if (code !== 0) return "none";
  return stdout.trim() === name ? "stand-in" : "real";
}

/**
 * Whether a failed pull means that the registry was reached but lacks the
 * image: a stand-in must not hide a wrong name.
 */
export function isUnknownImage(pullError: string): boolean {
  return /manifest unknown|not found: manifest|manifest for .* not found|repository does not exist|pull access denied/i
    .test(pullError);
}

/**
 * Ensures that an image exists. A real one is kept; a stand-in is replaced as
 * soon as the real one can be pulled.
 *
 * @throws {Failure} `environment` when neither the image nor the packages for a
 * stand-in can be had, or the registry does not know the image.
 */
async function ensureBaseImage(image: BaseImage): Promise<void> {
  const local = await localImage(image.name);
  if (local === "real") return;
  const pull = await runToEnd("docker", ["pull", "--quiet", image.name], {
    timeoutMs: PULL_LIMIT_MS,
  });
  if (pull.code === 0) {
    print(`Pulled ${image.name}`);
    return;
  }
  const reason = lastLine(pull);
  if (isUnknownImage(pull.stderr)) {
    throw new Failure(
      "environment",
      `${image.name} is not in its registry; correct the name: ${reason}`,
    );
  }
  if (local === "stand-in") {
    print(
      `${image.name} is a stand-in made earlier: no registry can be reached`,
    );
    return;
  }
  if (!await hasDebianPackages()) {
    throw new Failure(
      "environment",
      `${image.name} cannot be pulled, and a stand-in can be made on Debian only; load it with "docker load": ${reason}`,
    );
  }
  await makeStandIn(image);
  print(
    `${image.name} is a stand-in made of packages: no registry can be reached`,
  );
}

async function makeStandIn(image: BaseImage): Promise<void> {
  await Deno.mkdir(DOCKER_FOLDER, { recursive: true });
  const folder = await Deno.makeTempDir({
    dir: DOCKER_FOLDER,
    prefix: "stand-in-",
  });
  try {
    // The temporary folder is private; its mode must not become the image's.
    const root = `${folder}/root`;
    await makeDebianRoot(root, image.packages);
    await image.fill?.(root);
    const archive = `${folder}/root.tar`;
    await packRoot(root, archive);
    const label = `LABEL ${STAND_IN_LABEL}=${image.name}`;
    const changes = [...image.settings, label]
      .flatMap((setting) => ["--change", setting]);
    await runWell("docker", ["import", ...changes, archive, image.name]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Ensures that all base images exist. */
async function ensureBaseImages(): Promise<void> {
  const result = await runToEnd("docker", ["version"]);
  if (result.code !== 0) {
    throw new Failure(
      "environment",
      `No Docker engine answers; start one (${lastLine(result)})`,
    );
  }
  for (const image of BASE_IMAGES) await ensureBaseImage(image);
}

const ABOUT = `Pulls the base images of Dockerfile and compose.yaml. Where no \
registry can be reached,
it builds stand-ins from packages under the same names. It needs Docker.`;

async function run(): Promise<number> {
  const { help } = parseFlags({}, Deno.args);
  if (help) {
    print(helpText("base-images", ABOUT, {}));
    return 0;
  }
  await ensureBaseImages();
  return 0;
}

if (import.meta.main) await runProgram("base-images", run);
