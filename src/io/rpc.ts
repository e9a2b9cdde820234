/** Starting calls and servers: the thin layer over @grpc/grpc-js. */
import {
  type Client,
  credentials,
  logVerbosity,
  Metadata,
  type Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServiceError,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { Failure, messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

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
}

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
    // The system's proxy is not for calls to this machine.
    "grpc.enable_http_proxy": 0,
    ...(options.maxMessageBytes === undefined ? {} : {
      "grpc.max_receive_message_length": options.maxMessageBytes,
      "grpc.max_send_message_length": options.maxMessageBytes,
    }),
  });
}

/**
 * Opens a server's port.
 *
 * @param port 0 for any free port.
 * @returns The port that was opened.
 * @throws {Failure} `environment` when it cannot be opened.
 */
export function listen(
  server: Server,
  host: string,
  port: number,
): Promise<number> {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  // grpc-js would throw it where nobody can catch it.
  if (!isPermitted(address)) return Promise.reject(mayNotListen(address));
  return new Promise((resolve, reject) => {
    server.bindAsync(
      address,
      ServerCredentials.createInsecure(),
      (error, bound) => {
        if (error === null) resolve(bound);
        else reject(cannotListen(address, error));
      },
    );
  });
}

/** Whether permissions cover an address; never what is not one. */
function isPermitted(address: string): boolean {
  try {
    const permission = { name: "net", host: address } as const;
    return Deno.permissions.querySync(permission).state === "granted";
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function mayNotListen(address: string): Failure {
  const port = Deno.build.standalone ? " and --port 8080" : "";
  return new Failure(
    "environment",
    `Cannot listen on ${address}: the program's permissions, which are in ` +
      `deno.json, do not cover it; use --host 0.0.0.0 or 127.0.0.1${port}`,
  );
}

function cannotListen(address: string, error: Error): Failure {
  const why = /EADDRINUSE|in use/i.test(error.message)
    ? "the port is taken; stop what uses it or choose another with --port"
    : /EACCES|permission/i.test(error.message)
    ? "permission denied; choose a port above 1023 with --port"
    : `${plainReason(error)}; choose an address of this machine with --host`;
  return new Failure("environment", `Cannot listen on ${address}: ${why}`, {
    cause: error,
  });
}

/** The system's reason, which grpc-js puts into a list in its own sentence. */
function plainReason(error: Error): string {
  return /errors: \[([^\],]+)/.exec(error.message)?.[1] ?? messageOf(error);
}

/** Whether an error is a call's status. */
export function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && "code" in thrown &&
    typeof thrown.code === "number" && "details" in thrown;
}

/**
 * A status's details, which a peer may have written, made printable; without
 * the note on name resolution that grpc-js adds, unless the note says
 * something.
 */
export function plainDetails(details: string): string {
  return printable(details.replace(/\.? Resolution note:\s*$/, ""));
}

/** A status code's name, for example "UNAVAILABLE"; "CODE_99" if unknown. */
export function statusName(code: number): string {
  return status[code] ?? `CODE_${code}`;
}
