/**
 * Hands files out in a room's network, over HTTP: read-only, and bounded in
 * connections, bytes and time.
 */
import { Failure, messageOf } from "../core/errors.ts";
import { sha256OfFile } from "../io/digest.ts";
import { parseSums } from "../io/kit.ts";
import { pause } from "../io/wait.ts";
import {
  type Answer,
  answerTo,
  DIGEST_END,
  type Offer,
  type Part,
  refusal,
} from "./http.ts";

/** A kit's archive; nothing else is handed out. */
const KIT_NAME = /^grpc-demo-kit-[\w.-]+\.tar\.gz$/;

/** A room has some thirty laptops; more would only slow each other down. */
const CONNECTIONS_MAX = 64;

/** A browser and a `curl` or two. */
const CONNECTIONS_PER_ADDRESS_MAX = 8;

/** A browser's request has a tenth of it. */
const REQUEST_BYTES_MAX = 8192;

const CHUNK_BYTES = 65_536;

/** A change of a file's content changes at least one of these. */
type Stamp = Pick<Deno.FileInfo, "size" | "ino"> & { readonly mtimeMs: number };

/** How long a peer may take; tests are less patient. */
export interface Patience {
  /** For its whole request (default 5 s). */
  readonly requestMs: number;
  /** To take 64 KiB (default 20 s); a peer that stalls may resume. */
  readonly chunkMs: number;
}

const PATIENCE: Patience = { requestMs: 5_000, chunkMs: 20_000 };

/** A file that was checked, and what tells that it is still the same. */
export interface CheckedOffer extends Offer {
  readonly stamp: Stamp;
}

/**
 * Finds the kits in a folder and checks each against the digest file beside
 * it.
 *
 * @throws {Failure} `environment` when there is none, or one has no digest or
 * another one: then nothing is handed out.
 */
export async function findOffers(
  folder: string,
): Promise<readonly CheckedOffer[]> {
  const offers: CheckedOffer[] = [];
  try {
    const names = [...Deno.readDirSync(folder)]
      .filter(({ name, isFile }) => isFile && KIT_NAME.test(name))
      .map(({ name }) => name).sort();
    for (const name of names) offers.push(await checkOffer(folder, name));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      "environment",
      `Cannot read "${folder}": ${messageOf(error)}; name the folder of a ` +
        "kit's archive with --dir",
      { cause: error },
    );
  }
  if (offers.length > 0) return offers;
  throw new Failure(
    "environment",
    `"${folder}" has no kit; put grpc-demo-kit-….tar.gz and its ${DIGEST_END} ` +
      "file there",
  );
}

async function checkOffer(folder: string, name: string): Promise<CheckedOffer> {
  const path = `${folder}/${name}`;
  const sum = `${name}${DIGEST_END}`;
  const text = await Deno.readTextFile(`${folder}/${sum}`).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const expected = parseSums(text).get(name);
  if (expected === undefined) {
    throw new Failure(
      "environment",
      `"${path}" has no digest beside it; put its "${sum}" there`,
    );
  }
  const stamp = await stampOf(path);
  const sha256 = await sha256OfFile(path);
  if (sha256 !== expected) {
    throw new Failure(
      "environment",
      `"${path}" is not what "${sum}" is about: its digest is ${sha256}; copy ` +
        "both again",
    );
  }
  return { name, path, bytes: stamp.size, sha256, stamp };
}

async function stampOf(path: string): Promise<Stamp> {
  const { size, ino, mtime } = await Deno.stat(path);
  return { size, ino, mtimeMs: mtime?.getTime() ?? 0 };
}

/** Files that are being handed out. */
export interface HandOut {
  readonly port: number;
  /** Ends it, and every download. */
  close(): Promise<void>;
}

/** Options of {@linkcode handOut}. */
export interface HandOutOptions {
  readonly offers: readonly CheckedOffer[];
  /** The address of this machine to listen on. */
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Called when someone has received all that was asked of a file. */
  readonly onReceived: (address: string, part: Part) => void;
  /** For tests. */
  readonly patience?: Patience;
}

/**
 * Begins to hand out files.
 *
 * @throws {Failure} `environment` when it cannot listen there.
 */
export function handOut(options: HandOutOptions): HandOut {
  const listener = listen(options);
  const desk = new Desk(options);
  const ended = desk.serve(listener);
  return {
    port: listener.addr.port,
    close: async () => {
      listener.close();
      desk.close();
      await ended;
    },
  };
}

function listen({ address, port }: HandOutOptions): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address, port });
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    throw new Failure(
      "environment",
      `Cannot listen on ${address}, port ${port}: ${
        isTaken ? "the port is taken" : messageOf(error)
      }; choose ${
        isTaken
          ? "another with --port"
          : "one of this machine's addresses with --address"
      }`,
      { cause: error },
    );
  }
}

/** Answers one connection after another, each once. */
class Desk {
  readonly #options: HandOutOptions;
  readonly #patience: Patience;
  readonly #connections = new Map<Deno.Conn, string>();
  readonly #work = new Set<Promise<void>>();

  constructor(options: HandOutOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
  }

  async serve(listener: Deno.TcpListener): Promise<void> {
    while (true) {
      let connection: Deno.TcpConn;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) break; // It is closed.
        // Out of files, or the peer has left: a moment later it may be better.
        await pause(100);
        continue;
      }
      const work = this.#answer(connection).catch(() => {
        // The peer has left or was too slow; it knows.
      }).finally(() => {
        this.#close(connection);
        this.#work.delete(work);
      });
      this.#work.add(work);
    }
    await Promise.all(this.#work);
  }

  close(): void {
    for (const connection of [...this.#connections.keys()]) {
      this.#close(connection);
    }
  }

  #close(connection: Deno.Conn): void {
    this.#connections.delete(connection);
    try {
      connection.close();
    } catch {
      // It was closed for taking too long.
    }
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const address = connection.remoteAddr.hostname;
    const own = [...this.#connections.values()]
      .filter((other) => other === address).length;
    const isFull = own >= CONNECTIONS_PER_ADDRESS_MAX ||
      this.#connections.size >= CONNECTIONS_MAX;
    // Those that are told so are not counted, and end at once.
    if (isFull) {
      const words = "Too many are being served; try again in a moment";
      const { head, body } = refusal(503, words, { "retry-after": "5" });
      return await this.#write(connection, encode(`${head}${body}`));
    }
    this.#connections.set(connection, address);
    const answer = await this.#answerOf(connection);
    await this.#send(connection, answer);
    if (typeof answer.body !== "string") {
      this.#options.onReceived(address, answer.body);
    }
    await this.#leave(connection);
  }

  async #answerOf(connection: Deno.TcpConn): Promise<Answer> {
    const request = await this.#read(connection);
    if (request === "late") return refusal(408, "The request took too long");
    if (request === "long") return refusal(431, "The request is too long");
    const answer = answerTo(request, this.#options.offers);
    if (typeof answer.body === "string") return answer;
    const { name } = answer.body.offer;
    const offer = this.#options.offers.find((one) => one.name === name);
    const stamp = offer && await stampOf(offer.path).catch(() => undefined);
    const isSame = JSON.stringify(stamp) === JSON.stringify(offer?.stamp);
    return isSame
      ? answer
      : refusal(503, "The file has changed since its digest was checked");
  }

  /** A request up to its empty line. */
  async #read(connection: Deno.TcpConn): Promise<string | "late" | "long"> {
    let isLate = false;
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => {
      isLate = true;
      resolve(null);
    }, this.#patience.requestMs);
    let text = "";
    const buffer = new Uint8Array(REQUEST_BYTES_MAX);
    try {
      while (text.length <= REQUEST_BYTES_MAX) {
        const reading = connection.read(buffer);
        reading.catch(() => {}); // It fails when the connection is closed.
        const count = await Promise.race([reading, late]);
        if (isLate) return "late";
        if (count === null) throw new Error("The peer has left");
        // Latin-1, so that bytes and characters are the same.
        text += String.fromCharCode(...buffer.subarray(0, count));
        const end = text.indexOf("\r\n\r\n");
        if (end !== -1) return text.slice(0, end);
      }
      return "long";
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(connection: Deno.TcpConn, { head, body }: Answer): Promise<void> {
    if (typeof body === "string") {
      return await this.#write(connection, encode(`${head}${body}`));
    }
    await this.#write(connection, encode(head));
    const { offer, start, end } = body;
    using file = await Deno.open(offer.path);
    await file.seek(start, Deno.SeekMode.Start);
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let left = end - start; left > 0;) {
      const count = await file.read(
        buffer.subarray(0, Math.min(left, CHUNK_BYTES)),
      );
      if (count === null) throw new Error("The file has become shorter");
      await this.#write(connection, buffer.subarray(0, count));
      left -= count;
    }
  }

  /** Writes all bytes, or closes the connection of a peer that is too slow. */
  async #write(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
    const timer = setTimeout(
      () => this.#close(connection),
      this.#patience.chunkMs,
    );
    try {
      for (let at = 0; at < bytes.length;) {
        at += await connection.write(bytes.subarray(at));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Ends our side first and waits for the peer's end: to close with something
   * unread would make it lose the end of the answer.
   */
  async #leave(connection: Deno.TcpConn): Promise<void> {
    await connection.closeWrite();
    const timer = setTimeout(
      () => this.#close(connection),
      this.#patience.requestMs,
    );
    try {
      const buffer = new Uint8Array(CHUNK_BYTES);
      while (await connection.read(buffer) !== null) {
        // What is still sent means nothing here.
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
