/**
 * The answers of whoever hands out files: a few names, whole or in part. Pure;
 * a name that is not offered leads nowhere, whatever it looks like.
 */

/** A file that is handed out. */
export interface Offer {
  /** Its name in URLs; letters, digits, ".", "_" and "-" only. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Its digest, in hexadecimal digits. */
  readonly sha256: string;
}

/** Bytes of a file; `end` is the first that is no longer meant. */
export interface Part {
  readonly offer: Offer;
  readonly start: number;
  readonly end: number;
}

/** An answer. */
export interface Answer {
  /** Everything up to the body, with the empty line. */
  readonly head: string;
  /** What follows; empty for HEAD. */
  readonly body: string | Part;
}

const WORDS = {
  200: "OK",
  206: "Partial Content",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  416: "Range Not Satisfiable",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

type Status = keyof typeof WORDS;

/** The end of the name of a file's digest. */
export const DIGEST_END = ".sha256";

/**
 * The answer to a request.
 *
 * @param request The request up to the empty line, without it.
 */
export function answerTo(request: string, offers: readonly Offer[]): Answer {
  const [first = "", ...lines] = request.split("\r\n");
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(first) ?? [];
  if (method === undefined || target === undefined) {
    return refusal(400, "This is not a request that is understood here");
  }
  if (method !== "GET" && method !== "HEAD") {
    return refusal(405, "Here is only something to be read", {
      allow: "GET, HEAD",
    });
  }
  const answer = answerGet(target.split("?")[0] ?? "", lines, offers);
  return method === "HEAD" ? { ...answer, body: "" } : answer;
}

function answerGet(
  path: string,
  lines: readonly string[],
  offers: readonly Offer[],
): Answer {
  if (path === "/") return text(200, pageOf(offers), "text/html");
  const offer = offers.find(({ name }) => path === `/${name}`);
  if (offer !== undefined) return answerFile(offer, lines);
  const digested = offers
    .find(({ name }) => path === `/${name}${DIGEST_END}`);
  if (digested === undefined) {
    return refusal(404, "There is nothing of that name");
  }
  return text(200, `${digested.sha256}  ${digested.name}\n`, "text/plain");
}

function answerFile(offer: Offer, lines: readonly string[]): Answer {
  const etag = `"${offer.sha256}"`;
  const headers = {
    "accept-ranges": "bytes",
    "content-type": "application/gzip",
    etag,
  };
  const ifRange = headerOf(lines, "if-range");
  const asked = headerOf(lines, "range");
  const range = asked === undefined ||
      (ifRange !== undefined && ifRange !== etag)
    ? undefined
    : rangeOf(asked, offer.bytes);
  if (range === "none") {
    return refusal(416, "The file has no such bytes", {
      "content-range": `bytes */${offer.bytes}`,
    });
  }
  const { start, end } = range ?? { start: 0, end: offer.bytes };
  return {
    head: headOf(range === undefined ? 200 : 206, end - start, {
      ...headers,
      ...(range === undefined
        ? {}
        : { "content-range": `bytes ${start}-${end - 1}/${offer.bytes}` }),
    }),
    body: { offer, start, end },
  };
}

/** A header's value; undefined if it is not there, or more than once. */
function headerOf(lines: readonly string[], name: string): string | undefined {
  const values = lines.flatMap((line) => {
    const [, key, value] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    return key?.toLowerCase() === name ? [value] : [];
  });
  return values.length === 1 ? values[0] : undefined;
}

/**
 * The bytes that a Range header asks for.
 *
 * @returns Undefined when it is not understood, or asks for several ranges: the
 * whole file is then the answer. "none" when the file has no such bytes.
 */
function rangeOf(
  value: string,
  bytes: number,
): { readonly start: number; readonly end: number } | "none" | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(value) ?? [];
  if (from === undefined || to === undefined || from + to === "") {
    return undefined;
  }
  if (from === "") {
    const start = Math.max(0, bytes - Number(to));
    return start === bytes ? "none" : { start, end: bytes };
  }
  const start = Number(from);
  const end = to === "" ? bytes : Math.min(bytes, Number(to) + 1);
  if (to !== "" && Number(to) < start) return undefined;
  return start >= bytes ? "none" : { start, end };
}

/** An answer without a file. */
export function refusal(
  status: Status,
  words: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return text(status, `${words}\n`, "text/plain", headers);
}

function text(
  status: Status,
  body: string,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const length = new TextEncoder().encode(body).length;
  const head = headOf(status, length, {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-store",
    ...headers,
  });
  return { head, body };
}

function headOf(
  status: Status,
  length: number,
  headers: Readonly<Record<string, string>>,
): string {
  const all = {
    ...headers,
    "content-length": String(length),
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${WORDS[status]}`, ...lines, "", ""]
    .join("\r\n");
}

function pageOf(offers: readonly Offer[]): string {
  const items = offers.map(({ name, bytes, sha256 }) =>
    `<li><a href="/${name}">${name}</a>, ${(bytes / 1e6).toFixed(1)} MB, ` +
    `sha256 <a href="/${name}${DIGEST_END}">${sha256}</a>`
  );
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>The kit</title>
<h1>The kit</h1>
<p>One of these, for your machine:
<ul>
${items.join("\n")}
</ul>
<p>An interrupted download goes on with <code>curl -C - -O</code>. Then
<code>sha256sum -c NAME.sha256</code>, <code>tar -xzf NAME</code>, and
<code>./demo check</code> in the folder that appears.
</html>
`;
}
