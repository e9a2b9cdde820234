/**
 * HTTP requests to this machine. Unlike fetch() they never go to the proxy of
 * `http_proxy`, `HTTP_PROXY` or `ALL_PROXY`, whatever `no_proxy` says.
 */
import { request } from "node:http";
import { connect } from "node:net";

/** An answer, read to its end. */
export interface LocalResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * Makes one request.
 *
 * @param url Of this machine, `http:` only.
 * @param options `timeoutMs` is how long the whole answer may take.
 * @throws {Error} What the system says; a "TimeoutError" when it took too long.
 */
export function requestLocal(
  url: string,
  options: {
    readonly method: "GET" | "POST";
    readonly timeoutMs: number;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<LocalResponse> {
  const { method, timeoutMs, headers = {} } = options;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method,
        headers: { ...headers, connection: "close" },
        // An agent of node:http would ask the environment for a proxy.
        createConnection: () => connect(Number(port || 80), hostname),
      },
      (response) => {
        const parts: string[] = [];
        response.setEncoding("utf8");
        response.on("data", (part: string) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, body: parts.join("") });
        });
      },
    );
    const timer = setTimeout(
      () => outgoing.destroy(new DOMException("", "TimeoutError")),
      timeoutMs,
    );
    outgoing.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.end();
  });
}
