/**
 * A certificate authority that lives as long as the program: its key is never
 * written anywhere, and cannot even be read in here.
 */
import { BitString, Integer, OctetString, Utf8String } from "asn1js";
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  GeneralName,
  GeneralNames,
} from "pkijs";

/** What every gRPC and TLS library takes, and fast to make. */
const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Longer than any demo; nobody can sign with its key afterwards. */
const AUTHORITY_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000;

/** The object identifiers of RFC 5280. */
const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  server: "1.3.6.1.5.5.7.3.1",
  client: "1.3.6.1.5.5.7.3.2",
} as const;

/** The bits of the extension keyUsage: the byte, and how many end it unused. */
const USAGE = {
  digitalSignature: [0b1000_0000, 7],
  keyCertSign: [0b0000_0100, 2],
} as const;

/** The types of names in a certificate. */
const NAME = { dns: 2, ip: 7 } as const;

/** What a certificate is to say. */
export interface Wish {
  /** Its subject's common name. */
  readonly name: string;
  /** Whether it proves a server or a client. */
  readonly role: "server" | "client";
  /** DNS names that a server is called by. */
  readonly hosts?: readonly string[];
  /** IPv4 addresses that a server is called at. */
  readonly addresses?: readonly string[];
  /** From now on; both ends are rounded down to whole seconds. */
  readonly lifetimeMs: number;
}

/** A certificate with its key. */
export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8 in PEM. */
  readonly key: string;
  /** In hexadecimal, lower case. */
  readonly serial: string;
}

/** Issues certificates. */
export class Authority {
  /** Its own certificate, in PEM. */
  readonly certificate: string;
  readonly #name: string;
  readonly #keys: CryptoKeyPair;
  readonly #keyId: ArrayBuffer;

  private constructor(
    name: string,
    keys: CryptoKeyPair,
    keyId: ArrayBuffer,
    certificate: string,
  ) {
    this.#name = name;
    this.#keys = keys;
    this.#keyId = keyId;
    this.certificate = certificate;
  }

  /** Makes an authority with a new key and a name of its own. */
  static async create(): Promise<Authority> {
    const name = `grpc-demo ${crypto.randomUUID().slice(0, 8)}`;
    const keys = await crypto.subtle.generateKey(KEY, false, [
      "sign",
      "verify",
    ]);
    const keyId = await keyIdOf(keys.publicKey);
    const { pem } = await signed({
      subject: name,
      issuer: name,
      key: keys.publicKey,
      signer: keys.privateKey,
      lifetimeMs: AUTHORITY_LIFETIME_MS,
      extensions: [
        extension(
          OID.basicConstraints,
          new BasicConstraints({ cA: true, pathLenConstraint: 0 }).toSchema(),
          true,
        ),
        usage(USAGE.keyCertSign),
        extension(
          OID.subjectKeyIdentifier,
          new OctetString({ valueHex: keyId }),
        ),
      ],
    });
    return new Authority(name, keys, keyId, pem);
  }

  /** Issues a certificate with a new key. */
  async issue(wish: Wish): Promise<Issued> {
    const keys = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
    const names = [
      ...(wish.hosts ?? []).map((value) =>
        new GeneralName({ type: NAME.dns, value })
      ),
      ...(wish.addresses ?? []).map((address) =>
        new GeneralName({
          type: NAME.ip,
          value: new OctetString({
            valueHex: Uint8Array.from(address.split("."), Number).buffer,
          }),
        })
      ),
    ];
    const { pem, serial } = await signed({
      subject: wish.name,
      issuer: this.#name,
      key: keys.publicKey,
      signer: this.#keys.privateKey,
      lifetimeMs: wish.lifetimeMs,
      extensions: [
        usage(USAGE.digitalSignature),
        extension(
          OID.extKeyUsage,
          new ExtKeyUsage({ keyPurposes: [OID[wish.role]] }).toSchema(),
        ),
        extension(
          OID.authorityKeyIdentifier,
          new AuthorityKeyIdentifier({
            keyIdentifier: new OctetString({ valueHex: this.#keyId }),
          }).toSchema(),
        ),
        ...(names.length === 0 ? [] : [
          extension(OID.subjectAltName, new GeneralNames({ names }).toSchema()),
        ]),
      ],
    });
    const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { certificate: pem, key: pemOf("PRIVATE KEY", key), serial };
  }
}

async function signed(content: {
  readonly subject: string;
  readonly issuer: string;
  readonly key: CryptoKey;
  readonly signer: CryptoKey;
  readonly lifetimeMs: number;
  readonly extensions: Extension[];
}): Promise<{ readonly pem: string; readonly serial: string }> {
  const certificate = new Certificate({
    version: 2, // The third version.
    extensions: content.extensions,
  });
  const serial = crypto.getRandomValues(new Uint8Array(16));
  // Positive, and without a leading zero, so that everybody prints it alike.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  certificate.serialNumber = new Integer({ valueHex: serial.buffer });
  nameIn(certificate.subject, content.subject);
  nameIn(certificate.issuer, content.issuer);
  const now = Date.now();
  certificate.notBefore.value = new Date(now);
  certificate.notAfter.value = new Date(now + content.lifetimeMs);
  await certificate.subjectPublicKeyInfo.importKey(content.key);
  await certificate.sign(content.signer, "SHA-256");
  return {
    pem: pemOf("CERTIFICATE", certificate.toSchema(true).toBER()),
    serial: serial.toHex(),
  };
}

function nameIn(names: Certificate["subject"], value: string): void {
  names.typesAndValues.push(
    new AttributeTypeAndValue({
      type: OID.commonName,
      value: new Utf8String({ value }),
    }),
  );
}

function extension(
  extnID: string,
  content: { toBER(): ArrayBuffer },
  critical = false,
): Extension {
  return new Extension({ extnID, critical, extnValue: content.toBER() });
}

function usage([bits, unusedBits]: readonly [number, number]): Extension {
  const valueHex = Uint8Array.of(bits).buffer;
  return extension(OID.keyUsage, new BitString({ valueHex, unusedBits }), true);
}

/** Tells keys apart; any digest of the key will do. */
async function keyIdOf(key: CryptoKey): Promise<ArrayBuffer> {
  const bytes = await crypto.subtle.exportKey("raw", key);
  return (await crypto.subtle.digest("SHA-256", bytes)).slice(0, 20);
}

function pemOf(label: string, der: ArrayBuffer): string {
  const text = new Uint8Array(der).toBase64().replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
}
