/** Makes image root folders from Debian packages. */
import { canInstallPackages, runWell, updatePackageLists } from "./machine.ts";

/** What images do not need: manuals, translations. */
const LEFT_OUT = ["doc", "info", "lintian", "locale", "man"];

/** The certificates that this machine trusts, its own among them. */
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** The user of "nonroot" images, and of Envoy's. */
export const NONROOT_ID = 65532;

const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:${NONROOT_ID}:${NONROOT_ID}:nonroot:/home/nonroot:/sbin/nologin
`;

const GROUP = `root:x:0:
nobody:x:65534:
nonroot:x:${NONROOT_ID}:
`;

const DOWNLOAD_LIMIT_MS = 300_000;

let areListsNew = false;

/**
 * Fills a new folder with the files of Debian packages. Nothing is installed:
 * no package scripts run.
 *
 * @param root The folder; it must not exist yet.
 * @param packages Their names, with all dependencies.
 * @throws {Failure} `environment` when a package is not available.
 */
export async function makeDebianRoot(
  root: string,
  packages: readonly string[],
): Promise<void> {
  const downloads = `${root}.packages`;
  await Deno.mkdir(root, { recursive: true });
  await Deno.mkdir(downloads);
  // A fresh machine has no package lists, and old lists name old files.
  if (!areListsNew && await canInstallPackages()) await updatePackageLists();
  areListsNew = true;
  await runWell("apt-get", ["--quiet", "download", ...packages], {
    cwd: downloads,
    timeoutMs: DOWNLOAD_LIMIT_MS,
  });
  for await (const { name } of Deno.readDir(downloads)) {
    await runWell("dpkg-deb", ["--extract", `${downloads}/${name}`, root]);
  }
  await Deno.remove(downloads, { recursive: true });
  for (const name of LEFT_OUT) {
    await Deno.remove(`${root}/usr/share/${name}`, { recursive: true })
      .catch(() => {});
  }
  await Deno.mkdir(`${root}/etc/ssl/certs`, { recursive: true });
  await Deno.copyFile(CERTIFICATES, `${root}${CERTIFICATES}`);
  await Deno.writeTextFile(`${root}/etc/passwd`, PASSWD);
  await Deno.writeTextFile(`${root}/etc/group`, GROUP);
  await Deno.mkdir(`${root}/home/nonroot`, { recursive: true });
}

/**
 * Packs a root folder reproducibly.
 *
 * @param archive The file to make, a tar archive.
 */
export async function packRoot(root: string, archive: string): Promise<void> {
  const same = ["--sort=name", "--mtime=@0", "--numeric-owner"];
  await runWell("tar", [
    "--create",
    ...same,
    "--owner=0",
    "--group=0",
    "--exclude=./home/nonroot",
    `--directory=${root}`,
    `--file=${archive}`,
    ".",
  ]);
  await runWell("tar", [
    "--append",
    ...same,
    `--owner=${NONROOT_ID}`,
    `--group=${NONROOT_ID}`,
    `--directory=${root}`,
    `--file=${archive}`,
    "./home/nonroot",
  ]);
}
