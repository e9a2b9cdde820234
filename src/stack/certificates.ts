/**
 * The certificates of a stack with TLS: made here, short-lived, renewed in good
 * time, and removed with the stack.
 *
 * ```text
 * server.json, client-ca.json      what Envoy subscribes to (SDS); never changed
 * server/current -> 7              Envoy's tls.crt, tls.key and ca.crt
 * client/current -> 7              the callers'
 * ```
 *
 * A renewal writes the next folder and renames a link to it over `current`. So
 * whoever reads has old files or new ones, and Envoy, which watches the folder
 * that the link is in, reads both together.
 */
import { join } from "node:path";
import { Failure, messageOf } from "../core/errors.ts";
import { lastLine, runToEnd } from "../io/processes.ts";
import type { Authority } from "./authority.ts";
import { sdsFile } from "./envoy_tls.ts";

/** How long a certificate is valid unless set. */
export const LIFETIME_MS_DEFAULT = 60 * 60 * 1000;

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

/** Certificates that are renewed in their half time. */
export class Certificates {
  /** Where everything is. */
  readonly folder: string;
  readonly #authority: Authority;
  readonly #lifetimeMs: number;
  #number = 0;
  #serial = "";
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
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
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
    }, lifetimeMs / 2);
    return certificates;
  }

  /** The folder with a caller's ca.crt, tls.crt and tls.key. */
  get clientFolder(): string {
    return join(this.folder, "client", "current");
  }

  /** The serial number of Envoy's newest certificate, in hexadecimal. */
  get serial(): string {
    return this.#serial;
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
    this.#number += 1;
    // Callers first: whoever connects now has what both Envoys accept.
    for (const [role, issued] of Object.entries({ client, server })) {
      const folder = join(this.folder, role);
      const next = join(folder, String(this.#number));
      await Deno.mkdir(next, { recursive: true, mode: 0o700 });
      await write(join(next, "ca.crt"), authority.certificate);
      await write(join(next, "tls.crt"), issued.certificate);
      await write(join(next, "tls.key"), issued.key);
      await pointTo(folder, String(this.#number));
      // The one before the last may still be being read.
      const old = join(folder, String(this.#number - 2));
      await Deno.remove(old, { recursive: true }).catch(() => {});
    }
    this.#serial = server.serial;
  }

  async #writeSubscriptions(): Promise<void> {
    for (const name of ["server", "client-ca"] as const) {
      const text = JSON.stringify(sdsFile(name, join(this.folder, "server")));
      await write(join(this.folder, `${name}.json`), text);
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
  const result = await runToEnd("sh", ["-c", script, "sh", next], {
    cwd: folder,
    timeoutMs: LINK_LIMIT_MS,
  });
  if (result.code !== 0) throw new Error(lastLine(result));
}
