/**
 * The certificates of a stack with TLS: made here, short-lived, renewed in good
 * time, and removed with the stack.
 *
 * ```text
 * server/   current -> 5a29e6…     Envoy's tls.crt, tls.key and ca.crt
 *           server.json            what Envoy subscribes to (SDS); these two
 *           client-ca.json         never change
 * client/   current -> 5a29e6…     the callers' tls.crt, tls.key and ca.crt
 * ```
 *
 * A renewal writes new folders, each named after the serial number of Envoy's
 * certificate, and renames a link to one over `current`. So whoever reads has
 * old files or new ones, and Envoy, which watches the folder that the link is
 * in, reads certificate and key together.
 */
import { join } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { lastLine, runToEnd } from "../io/processes.ts";
import type { Authority } from "./authority.ts";
import { sdsFile } from "./envoy_tls.ts";

/** How long a certificate is valid unless set. */
export const LIFETIME_MS_DEFAULT = 60 * 60 * 1000;

/** The part of their life after which they are renewed: two more may fail. */
const RENEWED_AFTER = 1 / 3;

/** It takes milliseconds; a busy machine needs longer. */
const LINK_LIMIT_MS = 10_000;

/** The names and addresses at which callers find Envoy. */
const HOSTS = ["localhost", "envoy-tls"];
const ADDRESSES = ["127.0.0.1"];

/** Options of certificates. */
export interface CertificateOptions {
  /** Default: an hour. */
  readonly lifetimeMs?: number | undefined;
  /** Receives the reason when a renewal fails; the next one is tried later. */
  readonly onFailure: (reason: string) => void;
}

/** Certificates that are renewed long before they expire. */
export class Certificates {
  /** Where everything is. */
  readonly folder: string;
  readonly #authority: Authority;
  readonly #lifetimeMs: number;
  /** The names of the present folders and of the ones before. */
  #serials: readonly string[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  /** One renewal at a time. */
  #renewed: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    authority: Authority,
    lifetimeMs: number,
  ) {
    this.folder = folder;
    this.#authority = authority;
    this.#lifetimeMs = lifetimeMs;
  }

  /**
   * Makes an authority and the first certificates, and begins to renew them.
   *
   * @param folder It is made, for this user only.
   * @throws {Failure} `environment` when it cannot be written.
   */
  static async keep(
    folder: string,
    { lifetimeMs = LIFETIME_MS_DEFAULT, onFailure }: CertificateOptions,
  ): Promise<Certificates> {
    // Its library takes time and memory, which runs without TLS need not pay.
    const { Authority } = await import("./authority.ts");
    const certificates = new Certificates(
      folder,
      await Authority.create(),
      lifetimeMs,
    );
    try {
      await certificates.#writeSubscriptions();
      await certificates.renew();
    } catch (error) {
      throw new Failure(
        "environment",
        `Cannot write certificates to "${folder}": ${
          messageOf(error)
        }; make it writable, or leave TLS out`,
        { cause: error },
      );
    }
    certificates.#timer = setInterval(() => {
      certificates.renew().catch((error) =>
        onFailure(`certificates cannot be renewed: ${messageOf(error)}`)
      );
    }, lifetimeMs * RENEWED_AFTER);
    return certificates;
  }

  /** The folder with a caller's ca.crt, tls.crt and tls.key. */
  get clientFolder(): string {
    return join(this.folder, "client", "current");
  }

  /** The serial number of Envoy's newest certificate, in hexadecimal. */
  get serial(): string {
    return this.#serials.at(-1) ?? "";
  }

  /** Issues new certificates and puts them in place. */
  renew(): Promise<void> {
    const renewing = this.#renewed.catch(() => {}).then(() => this.#renew());
    this.#renewed = renewing;
    return renewing;
  }

  /** Ends the renewals and removes everything. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewed.catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }

  async #renew(): Promise<void> {
    const lifetimeMs = this.#lifetimeMs;
    const authority = this.#authority;
    const server = await authority.issue({
      name: "envoy",
      role: "server",
      hosts: HOSTS,
      addresses: ADDRESSES,
      lifetimeMs,
    });
    const client = await authority.issue({
      name: "client",
      role: "client",
      lifetimeMs,
    });
    const kept = this.#serials.slice(-1);
    const [unread] = this.#serials.slice(0, -1);
    // Callers first: Envoy accepts their old certificates and the new ones.
    for (const [role, issued] of Object.entries({ client, server })) {
      const folder = join(this.folder, role);
      const next = join(folder, server.serial);
      await Deno.mkdir(next, { recursive: true, mode: 0o700 });
      await write(join(next, "ca.crt"), authority.certificate);
      await write(join(next, "tls.crt"), issued.certificate);
      await write(join(next, "tls.key"), issued.key);
      await pointTo(folder, server.serial);
      // The folder before may still be being read.
      if (unread === undefined) continue;
      await Deno.remove(join(folder, unread), { recursive: true });
    }
    this.#serials = [...kept, server.serial];
  }

  async #writeSubscriptions(): Promise<void> {
    const folder = join(this.folder, "server");
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of ["server", "client-ca"] as const) {
      const text = JSON.stringify(sdsFile(name, folder));
      await write(join(folder, `${name}.json`), text);
    }
  }
}

async function write(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { mode: 0o600 });
}

/**
 * Makes `current` a link to another folder, at once, as Kubernetes does with a
 * Secret's files. Deno only lets programs make links that may write anywhere.
 */
async function pointTo(folder: string, next: string): Promise<void> {
  const script = 'ln -s "$1" next && mv -T next current';
  const result = await runToEnd("/bin/sh", ["-c", script, "sh", next], {
    cwd: folder,
    timeoutMs: LINK_LIMIT_MS,
  });
  if (result.code !== 0) throw new Error(lastLine(result));
}
