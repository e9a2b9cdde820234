/**
 * TLS for clients that show a certificate: their files, read again as they are
 * renewed, and in words why a server and they do not get on.
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { type ChannelCredentials, experimental } from "@grpc/grpc-js";
import { Failure, messageOf } from "../core/errors.ts";

/**
 * What a client shows and whom it believes, as PEM. The files have the names
 * that Kubernetes gives them in a Secret.
 */
export interface TlsFiles {
  /** `ca.crt`: the authorities that sign servers' certificates. */
  readonly authority: string;
  /** `tls.crt`: the client's own certificate; without one it shows none. */
  readonly certificate?: string;
  /** `tls.key`: its key. */
  readonly key?: string;
}

/** Reads a client's files, anew each time. */
export type TlsSource = () => Promise<TlsFiles>;

/**
 * Checks that this runtime has TLS for gRPC: before Deno 2.8, `node:tls` did
 * not take over a connection.
 *
 * @throws {Failure} `environment` when it does not.
 */
export function requireTls(deno: string = Deno.version.deno): void {
  if (!/^2\.[0-7]\./.test(deno)) return;
  throw new Failure(
    "environment",
    `TLS needs Deno 2.8 or later, and this is Deno ${deno}: use ` +
      "a program that is built with a later one",
  );
}

/** How often a client looks whether its files have been renewed. */
const REFRESH_INTERVAL_MS = 1000;

/** Files may be renewed between one read and the next, but not twice in a row. */
const READS_MAX = 2;

/** How long a handshake and the first bytes of a server may take. */
const PROBE_LIMIT_MS = 2000;

/** The protocol that gRPC needs, as it is called in the handshake (ALPN). */
const PROTOCOL = "h2";

/** The name by which a server on this machine is called. */
const THIS_MACHINE = "localhost";

/** HTTP/2's first bytes: the preface and empty settings. */
const PREFACE = new TextEncoder().encode(
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
);

const NO_H2 = "The server speaks TLS but did not choose h2 in the handshake " +
  "(ALPN), which gRPC requires: give it alpn_protocols: [h2]";

const NO_NAME = "With TLS a server on another machine is called by the name " +
  "in its certificate, not by an address: use the name";

/**
 * Reads a folder's `ca.crt`, `tls.crt` and `tls.key`.
 *
 * @throws {Failure} `environment` when one is missing, is not PEM, has expired,
 * or when key and certificate do not belong together.
 */
export async function readTlsFolder(
  folder: string,
): Promise<Required<TlsFiles>> {
  let problem: string | undefined;
  for (let attempt = 0; attempt < READS_MAX; attempt += 1) {
    const files = {
      authority: await readPem(folder, "ca.crt"),
      certificate: await readPem(folder, "tls.crt"),
      key: await readPem(folder, "tls.key"),
    };
    problem = problemOf(files);
    if (problem === undefined) return files;
  }
  throw new Failure("environment", `Cannot use "${folder}": ${problem}`);
}

async function readPem(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const advice = error instanceof Deno.errors.NotCapable
      ? "the client may read below .tools/run and /tls only: copy the folder " +
        "to one of them"
      : "name a folder that has ca.crt, tls.crt and tls.key";
    throw new Failure(
      "environment",
      `Cannot read "${path}": ${messageOf(error)}; ${advice}`,
      { cause: error },
    );
  }
}

/** Why these files cannot be used; undefined if they can. */
function problemOf(
  { authority, certificate, key }: Required<TlsFiles>,
): string | undefined {
  const own = certificateIn(certificate);
  if (certificateIn(authority) === undefined) {
    return "ca.crt has no certificate in PEM; copy the authority's there";
  }
  if (own === undefined) {
    return "tls.crt has no certificate in PEM; copy the client's there";
  }
  if (!isKeyOf(own, key)) {
    return "tls.key is not the key of tls.crt; copy both from the same place";
  }
  return own.validToDate.getTime() < Date.now()
    ? `tls.crt has expired, at ${own.validToDate.toISOString()}; renew it`
    : undefined;
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isKeyOf(certificate: X509Certificate, pem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}

/**
 * Credentials for a channel. Its next connection uses what the source then
 * gives; it asks the source each second, while the channel is open.
 *
 * A server that does not choose h2 is refused, as other gRPC clients do.
 */
export function tlsCredentials(source: TlsSource): ChannelCredentials {
  const provider = new Provider(source);
  const credentials = experimental.createCertificateProviderChannelCredentials(
    provider,
    provider,
  );
  const create = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...channel) => {
    const connector = create(...channel);
    const connect = connector.connect.bind(connector);
    connector.connect = async (socket) => {
      const result = await connect(socket);
      // A server that refuses our certificate says so after the handshake.
      // Before HTTP/2 listens, nobody would hear it, which ends a process.
      result.socket.on("error", () => {});
      if ("alpnProtocol" in result.socket) {
        if (result.socket.alpnProtocol === PROTOCOL) return result;
      }
      result.socket.destroy();
      throw new Error(NO_H2);
    };
    return connector;
  };
  return credentials;
}

/**
 * The name in a server's certificate, for a target without one: grpc-js on Deno
 * can only ask for names, so an address of this machine is "localhost".
 */
export function tlsOptionsOf(target: string): Record<string, string> {
  return isIP(partsOf(target).host) === 0
    ? {}
    : { "grpc.ssl_target_name_override": THIS_MACHINE };
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** Passes a source's files on to grpc-js. */
class Provider implements experimental.CertificateProvider {
  readonly #source: TlsSource;
  readonly #authorities = new Set<CaListener>();
  readonly #identities = new Set<IdentityListener>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(source: TlsSource) {
    this.#source = source;
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#authorities.add(listener);
    this.#start();
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#authorities.delete(listener);
    this.#stopIfUnused();
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identities.add(listener);
    this.#start();
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identities.delete(listener);
    this.#stopIfUnused();
  }

  #start(): void {
    void this.#tell();
    this.#timer ??= setInterval(() => void this.#tell(), REFRESH_INTERVAL_MS);
  }

  #stopIfUnused(): void {
    if (this.#authorities.size + this.#identities.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tell(): Promise<void> {
    // Without files there is no connection; `tlsProblem()` says why.
    const files = await this.#source().catch(() => undefined);
    const { authority, certificate, key } = files ?? {};
    const ca = authority === undefined
      ? null
      : { caCertificate: Buffer.from(authority) };
    const identity = certificate === undefined || key === undefined ? null : {
      certificate: Buffer.from(certificate),
      privateKey: Buffer.from(key),
    };
    for (const listener of this.#authorities) listener(ca);
    for (const listener of this.#identities) listener(identity);
  }
}

/** What Deno's TLS says, and what that means for a client here. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [
    /certificate expired|peer certificate: Expired/,
    "The server's certificate has expired: renew it, and check that the " +
    "server reads renewed ones",
  ],
  [
    /not valid yet|NotValidYet/,
    "The server's certificate is not valid yet: compare the clocks",
  ],
  [
    /UnknownIssuer|BadSignature|self.signed/i,
    "The server's certificate is not signed by the authority in ca.crt: use " +
    "the ca.crt of the authority that signed it",
  ],
  [
    /not valid for name|NotValidForName/,
    "The server's certificate is for another name: call the server by a name " +
    "in its certificate",
  ],
  [
    /alert: (CertificateRequired|HandshakeFailure)/,
    "The server requires a client certificate, and none was shown: give " +
    "tls.crt and tls.key",
  ],
  [
    /alert: CertificateExpired/,
    "The server refused the certificate in tls.crt as expired: renew it",
  ],
  [
    /alert: (UnknownCA|UnknownCa|BadCertificate|DecryptError|CertificateUnknown|AccessDenied|UnsupportedCertificate)/,
    "The server does not trust the certificate in tls.crt: use one of an " +
    "authority that the server trusts",
  ],
  [
    /alert: NoApplicationProtocol/,
    "The server does not speak h2 over TLS, which gRPC requires: give it " +
    "alpn_protocols: [h2]",
  ],
  [
    /corrupt message|InvalidContentType/,
    "The server does not speak TLS: leave TLS out, or call the port that has it",
  ],
];

/**
 * Finds out by a handshake of its own why a server and a client with these
 * files do not get on. grpc-js itself only says that the connection has closed.
 *
 * @param target "host:port".
 * @returns A sentence; undefined if TLS is not what is wrong.
 */
export async function tlsProblem(
  target: string,
  source: TlsSource,
): Promise<string | undefined> {
  const { host, port } = partsOf(target);
  if (isIP(host) !== 0 && !isLoopback(host)) return NO_NAME;
  try {
    const { authority, certificate, key } = await source();
    const own = certificate === undefined || key === undefined
      ? {}
      : { cert: certificate, key };
    return await shakeHands({
      hostname: isIP(host) === 0 ? host : THIS_MACHINE,
      port,
      caCerts: [authority],
      alpnProtocols: [PROTOCOL],
      ...own,
    });
  } catch (error) {
    if (error instanceof Failure) return error.message;
    const words = messageOf(error);
    return PROBLEMS.find(([pattern]) => pattern.test(words))?.[1];
  }
}

/**
 * Whether a server speaks TLS, found out by a handshake.
 *
 * @param target "host:port".
 */
export async function speaksTls(target: string): Promise<boolean> {
  const { host: hostname, port } = partsOf(target);
  try {
    await shakeHands({ hostname, port });
    return true;
  } catch (error) {
    // It takes part in the handshake, even if one side ends it.
    return /peer certificate|alert:/.test(messageOf(error));
  }
}

/**
 * The serial number of the certificate that a server shows, in hexadecimal,
 * even if it has expired.
 *
 * @param target "host:port" of this machine.
 * @throws {Error} When there is no handshake within 2 s.
 */
export async function servedSerial(
  target: string,
  source: TlsSource,
): Promise<string> {
  const { authority, certificate, key } = await source();
  const { host, port } = partsOf(target);
  return await new Promise((resolve, reject) => {
    const socket = connectTls({
      ...{ host, port, servername: THIS_MACHINE, rejectUnauthorized: false },
      ...{ ca: authority, cert: certificate, key, ALPNProtocols: [PROTOCOL] },
    }, () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase());
      socket.destroy();
    });
    socket.on("error", reject);
    socket.setTimeout(PROBE_LIMIT_MS, () => {
      socket.destroy(new Error(`No handshake within ${PROBE_LIMIT_MS} ms`));
    });
  });
}

/** @throws What Deno's TLS has against the other side, or it against us. */
async function shakeHands(
  options: Deno.ConnectTlsOptions & Partial<Deno.TlsCertifiedKeyPem>,
): Promise<string | undefined> {
  const connecting = Deno.connectTls(options as Deno.ConnectTlsOptions);
  const close = () => connecting.then((one) => one.close()).catch(() => {});
  const timer = setTimeout(close, PROBE_LIMIT_MS);
  try {
    const connection = await connecting;
    const { alpnProtocol } = await connection.handshake();
    if (alpnProtocol !== PROTOCOL) return NO_H2;
    // In TLS 1.3 a server refuses a client's certificate after the handshake.
    await connection.write(PREFACE);
    await connection.read(new Uint8Array(1));
    return undefined;
  } finally {
    clearTimeout(timer);
    void close();
  }
}

function partsOf(target: string) {
  const [, host = target, port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(target) ?? [];
  return { host, port: Number(port) };
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}
