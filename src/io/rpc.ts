/** Starting calls and servers: the thin layer over @grpc/grpc-js. */
import {
  type Client,
  credentials,
  logVerbosity,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { printableDetails } from "../core/printable.ts";

export { statusName } from "../core/status.ts";

// Every error reaches its caller; the library need not print it as well.
setLogVerbosity(logVerbosity.NONE);

/** How a unary call ended well. */
export interface UnaryResult<R> {
  readonly reply: R;
  /** The response headers; empty if the server sent none before its reply. */
  readonly headers: Metadata;
}

type UnaryMethod<R> = (
  request: unknown,
  metadata: Metadata,
  options: { readonly deadline: number },
  callback: (error: ServiceError | null, reply?: R) => void,
) => { on(event: "metadata", listener: (headers: Metadata) => void): void };

/**
 * Makes one unary call.
 *
 * @param client A client of the service.
 * @param method The method as the .proto names it, for example "SayHello".
 * @param options `deadlineMs` from now; a call never waits for ever.
 * @throws {ServiceError} When the call ends with another status than OK.
 */
export function callUnary<R>(
  client: Client,
  method: string,
  request: unknown,
  options: { readonly deadlineMs: number },
): Promise<UnaryResult<R>> {
  const methods = client as unknown as Readonly<Record<string, UnaryMethod<R>>>;
  const start = methods[method];
  if (start === undefined) throw new TypeError(`No method "${method}"`);
  return new Promise((resolve, reject) => {
    let headers = new Metadata();
    const call = start.call(
      client,
      request,
      new Metadata(),
      { deadline: Date.now() + options.deadlineMs },
      (error, reply) => {
        if (error === null) resolve({ reply: reply as R, headers });
        else reject(error);
      },
    );
    call.on("metadata", (received) => headers = received);
  });
}

/** Options of every client here. */
export interface ConnectOptions {
  /** The most one message may have, in bytes (default 4 MiB, as grpc-js). */
  readonly maxMessageBytes?: number;
  /**
   * Whether a connection is left, and its calls end as UNAVAILABLE, when calls
   * wait on it and its peer's HTTP/2 is silent for 3 s (default false). A
   * server that works for long is not silent: it answers pings. Peers that
   * allow few pings, as gRPC for Go does, may end the connection of a long call.
   */
  readonly leavesSilence?: boolean;
}

/** A ping each second while there are calls, and 2 s for its answer. */
const SILENCE_OPTIONS = {
  "grpc.keepalive_time_ms": 1000,
  "grpc.keepalive_timeout_ms": 2000,
} as const;

/**
 * Makes a client with a connection of its own, which is opened by the first
 * call. It reconnects fast, since a demo's server is away for a second and not
 * for minutes: after 100 ms, then at most every second.
 *
 * A call that no server has begun, as its connection was just being closed, is
 * started again on the next one; without that, some are lost at every GOAWAY.
 * Nothing else is retried here: Envoy does that, and a second retrying party
 * would multiply the load.
 *
 * @param target "host:port", plain text.
 */
export function connect(
  service: ServiceClientConstructor,
  target: string,
  options: ConnectOptions = {},
): Client {
  return new service(target, credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.use_local_subchannel_pool": 1,
    // Otherwise a name is not looked up again for 30 s after the last time,
    // and a target that has moved stays lost for as long.
    "grpc.dns_min_time_between_resolutions_ms": 1000,
    "grpc.service_config_disable_resolution": 1,
    // The system's proxy is not for calls to this machine.
    "grpc.enable_http_proxy": 0,
    ...(options.leavesSilence ? SILENCE_OPTIONS : {}),
    ...(options.maxMessageBytes === undefined ? {} : {
      "grpc.max_receive_message_length": options.maxMessageBytes,
      "grpc.max_send_message_length": options.maxMessageBytes,
    }),
  });
}

/** Whether an error is a call's status. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "code" in thrown &&
    typeof thrown.code === "number" && "details" in thrown;
}

/**
 * A status's details, fit to be printed, and without the note on name
 * resolution that grpc-js adds, unless the note says something.
 */
export function plainDetails(details: string): string {
  return printableDetails(details.replace(/\.? Resolution note:\s*$/, ""));
}
