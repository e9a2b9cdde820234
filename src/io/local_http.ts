/**
 * HTTP requests to this machine. Unlike fetch(), they never use the proxy of
 * `http_proxy`, `HTTP_PROXY` or `ALL_PROXY`, whatever `no_proxy` says.
 */
import { Agent, request } from "node:http";

/** An answer, read to its end. */
export interface LocalResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * Each request has its own connection and no proxy: without `proxyEnv`,
 * NODE_USE_ENV_PROXY would make the agent read the environment.
 */
const AGENT_OPTIONS = { keepAlive: false, proxyEnv: {} };
const agent = new Agent(AGENT_OPTIONS);

/**
 * Makes one request.
 *
 * @param url On this machine, `http:` only.
 * @param options `timeoutMs` is how long the whole answer may take, `bytesMax`
 * how much of its body there may be (default: no limit).
 * @throws {Error} The system's error; a "TimeoutError" when it took too long, a
 * RangeError when its body is too long.
 */
export function requestLocal(
  url: string,
  options: {
    readonly method: "GET" | "POST";
    readonly timeoutMs: number;
    readonly bytesMax?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
): Promise<LocalResponse> {
  const { method, timeoutMs, bytesMax = Infinity, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { agent, method, headers: { ...headers } },
      (response) => {
        const parts: string[] = [];
        response.setEncoding("utf8");
        let count = 0;
        response.on("data", (part: string) => {
          parts.push(part);
          count += part.length;
          if (count <= bytesMax) return;
          clearTimeout(timer);
          reject(new RangeError(`The answer has more than ${bytesMax} bytes`));
          outgoing.destroy();
        });
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
    outgoing.end(options.body);
  });
}
