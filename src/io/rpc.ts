/** Makes clients and calls: a thin layer over @grpc/grpc-js. */
import { Buffer } from "node:buffer";
import {
  type CallOptions as GrpcCallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  logVerbosity,
  Metadata,
  type ServiceError,
  setLogVerbosity,
  status,
  type StatusObject,
} from "@grpc/grpc-js";
import { printableDetails } from "../core/printable.ts";
import { statusName } from "../core/status.ts";
import type {
  ChatRequest,
  ChatResponse,
  GreeterClient,
  Service,
  StreamMethod,
  UnaryMethod,
} from "./proto.ts";
import { tlsCredentials, tlsOptionsOf, type TlsSource } from "./tls.ts";

// Every error reaches its caller, so the library need not print it.
setLogVerbosity(logVerbosity.NONE);

/** The methods of a client's service, by name. */
export type MethodOf<C extends Client> = Exclude<keyof C, keyof Client>;

/** The request and reply types of a unary method. */
type UnaryTypes<F> = F extends (...args: never) => ClientReadableStream<unknown>
  ? never
  : F extends UnaryMethod<infer Q, infer R> ? [request: Partial<Q>, reply: R]
  : never;

/** The same for a server-streaming method. */
type StreamTypes<F> = F extends StreamMethod<infer Q, infer R>
  ? [request: Partial<Q>, reply: R]
  : never;

/** A request of a unary method; every field is optional. */
export type RequestOf<C extends Client, M extends MethodOf<C>> = UnaryTypes<
  C[M]
>[0];

/** The reply of a unary method. */
export type ReplyOf<C extends Client, M extends MethodOf<C>> = UnaryTypes<
  C[M]
>[1];

/** Options of every call. */
export interface CallOptions {
  /** From now; every unary call has a deadline. */
  readonly deadlineMs: number;
  /** Whether it waits for a connection if there is none (default false). */
  readonly waitForReady?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Cancels it when aborted. */
  readonly signal?: AbortSignal;
}

/** How a call ended. */
export interface CallEnd {
  /** The status's name, for example "OK". */
  readonly status: string;
  /** The status details, safe to print; empty for OK. */
  readonly details: string;
}

const WELL: CallEnd = { status: "OK", details: "" };

/** How a unary call ended. */
export interface UnaryEnd<R> extends CallEnd {
  /** undefined unless the status is OK. */
  readonly reply: R | undefined;
  /** undefined if the status is OK. */
  readonly error: ServiceError | undefined;
  /** The response headers; undefined if the status came without any. */
  readonly headers: Metadata | undefined;
}

/**
 * Makes one unary call and reports how it ended, whatever its status.
 *
 * @param client A client of the service.
 * @param method The method as the .proto names it, for example "SayHello".
 */
export function callToEnd<C extends Client, M extends MethodOf<C>>(
  client: C,
  method: M,
  request: RequestOf<C, M>,
  options: CallOptions,
): Promise<UnaryEnd<ReplyOf<C, M>>> {
  const start = client[method] as UnaryMethod<unknown, ReplyOf<C, M>>;
  return endOf(options, (...how) => start.call(client, request, ...how));
}

/**
 * Makes one unary call.
 *
 * @throws {ServiceError} When the call ends with a status other than OK.
 */
export async function callUnary<C extends Client, M extends MethodOf<C>>(
  client: C,
  method: M,
  request: RequestOf<C, M>,
  options: CallOptions,
): Promise<ReplyOf<C, M>> {
  const { reply, error } = await callToEnd(client, method, request, options);
  if (reply === undefined) throw error;
  return reply;
}

/**
 * Makes one unary call whose messages are raw bytes of any content.
 *
 * @param path The method's path, for example "/demo.v1.Greeter/SayHello".
 */
export function callBytes(
  client: Client,
  path: string,
  request: Uint8Array,
  options: CallOptions,
): Promise<UnaryEnd<Uint8Array>> {
  const serialize = (bytes: Uint8Array) => Buffer.from(bytes);
  return endOf(options, (...how) =>
    client.makeUnaryRequest(
      path,
      serialize,
      (bytes: Uint8Array) => bytes,
      request,
      ...how,
    ));
}

function endOf<R>(
  { signal, ...options }: CallOptions,
  start: (
    metadata: Metadata,
    options: GrpcCallOptions,
    callback: (error: ServiceError | null, reply?: R) => void,
  ) => ClientUnaryCall,
): Promise<UnaryEnd<R>> {
  return new Promise((resolve) => {
    let headers: Metadata | undefined;
    const call = start(...grpcOptions(options), (error, reply) => {
      letGo();
      resolve({
        ...(error === null ? WELL : endWords(error)),
        error: error ?? undefined,
        reply,
        headers,
      });
    });
    const letGo = cancelWhen(signal, call);
    call.on("metadata", (received) => headers = received);
  });
}

/**
 * Opens a stream of replies and reads it to its end.
 *
 * @param options Without `deadlineMs` it has no time limit.
 * @param onReply Receives each reply; grpc-js may drop the last ones of a
 * stream that does not end with OK.
 */
export function readStream<C extends Client, M extends MethodOf<C>>(
  client: C,
  method: M,
  request: StreamTypes<C[M]>[0],
  { signal, ...options }: Partial<CallOptions>,
  onReply: (reply: StreamTypes<C[M]>[1]) => void,
): Promise<CallEnd> {
  const open = client[method] as StreamMethod<unknown, StreamTypes<C[M]>[1]>;
  const stream = open.call(client, request, ...grpcOptions(options));
  return readToEnd(stream, signal, onReply);
}

function readToEnd<R>(
  stream: ClientReadableStream<R> | ClientDuplexStream<unknown, R>,
  signal: AbortSignal | undefined,
  onReply: (reply: R) => void,
): Promise<CallEnd> {
  const letGo = cancelWhen(signal, stream);
  stream.on("data", onReply);
  stream.on("error", () => {}); // It comes as the status, too.
  return new Promise((resolve) =>
    stream.on("status", (end: StatusObject) => {
      letGo();
      resolve(end.code === status.OK ? WELL : endWords(end));
    })
  );
}

/**
 * Chats: sends the same text a number of times, evenly, and reads replies.
 *
 * @param talk The text, how often to send it, and the interval.
 * @param onReply Receives each reply.
 */
export async function converse(
  client: GreeterClient,
  { signal, ...options }: CallOptions,
  talk: {
    readonly request: Partial<ChatRequest>;
    readonly count: number;
    readonly intervalMs: number;
  },
  onReply: (reply: ChatResponse) => void,
): Promise<CallEnd> {
  const stream = client.Chat(...grpcOptions(options));
  const ended = readToEnd(stream, signal, onReply);
  let said = 0;
  const say = () => {
    stream.write(talk.request);
    said += 1;
    if (said < talk.count) return;
    clearInterval(timer);
    stream.end();
  };
  const timer = setInterval(say, talk.intervalMs);
  say();
  return await ended.finally(() => clearInterval(timer));
}

/** @returns A function to call when the call has ended. */
function cancelWhen(
  signal: AbortSignal | undefined,
  call: { cancel(): void },
): () => void {
  const cancel = () => call.cancel();
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  return () => signal?.removeEventListener("abort", cancel);
}

function grpcOptions(
  { deadlineMs, waitForReady = false, metadata = {} }: Partial<CallOptions>,
): [Metadata, GrpcCallOptions] {
  const fields = new Metadata({ waitForReady });
  for (const [name, value] of Object.entries(metadata)) fields.set(name, value);
  return [
    fields,
    deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
  ];
}

function endWords(
  { code, details }: Pick<StatusObject, "code" | "details">,
): CallEnd {
  return { status: statusName(code), details: plainDetails(details) };
}

/** Options of every client here. */
export interface ConnectOptions {
  /** The largest message, in bytes (default 4 MiB, as in grpc-js). */
  readonly maxMessageBytes?: number;
  /** Whether requests are compressed with gzip (default false). */
  readonly compresses?: boolean;
  /**
   * Whether a connection is dropped, and its calls end as UNAVAILABLE, when
   * calls wait on it and the peer answers no keepalive ping for 3 s (default
   * false). A server busy with a long call still answers pings. Peers that
   * allow few pings, as grpc-go does, may close the connection of a long call.
   */
  readonly leavesSilence?: boolean;
  /** Where its TLS files come from (default: it speaks plain text). */
  readonly tls?: TlsSource | undefined;
}

/**
 * A keepalive ping each second while there are calls, and 2 s for its answer.
 */
const SILENCE_OPTIONS = {
  "grpc.keepalive_time_ms": 1000,
  "grpc.keepalive_timeout_ms": 2000,
} as const;

/** In `node:http2` before Deno 2.8 each ping fails and drops its connection. */
const CAN_PING = !/^2\.[0-7]\./.test(Deno.version.deno);

/** grpc-js's number for gzip. */
const GZIP = 2;

/**
 * Makes a client with its own connection, opened by the first call. It
 * reconnects fast, since the demo's servers are away for seconds, not minutes:
 * after 100 ms, then at most every second.
 *
 * A call that no server has processed because its connection was closing is
 * transparently retried on the next one; otherwise some are lost at every
 * GOAWAY. Nothing else is retried here: Envoy does that, and a second layer of
 * retries would multiply the load.
 *
 * @param target "host:port".
 */
export function connect<C extends Client>(
  service: Service<C>,
  target: string,
  options: ConnectOptions = {},
): C {
  const { tls } = options;
  const how = tls === undefined
    ? credentials.createInsecure()
    : tlsCredentials(tls);
  return new service(target, how, {
    ...(tls === undefined ? {} : tlsOptionsOf(target)),
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.use_local_subchannel_pool": 1,
    // Otherwise a name is resolved at most every 30 s, and a target that has
    // moved is lost for that long.
    "grpc.dns_min_time_between_resolutions_ms": 1000,
    "grpc.service_config_disable_resolution": 1,
    // Calls to this machine must not use the system's proxy.
    "grpc.enable_http_proxy": 0,
    ...(options.leavesSilence && CAN_PING ? SILENCE_OPTIONS : {}),
    ...(options.compresses
      ? { "grpc.default_compression_algorithm": GZIP }
      : {}),
    ...(options.maxMessageBytes === undefined ? {} : {
      "grpc.max_receive_message_length": options.maxMessageBytes,
      "grpc.max_send_message_length": options.maxMessageBytes,
    }),
  });
}

/**
 * A status's details, safe to print, without the name resolution note that
 * grpc-js adds, unless that is informative.
 */
export function plainDetails(details: string): string {
  return printableDetails(details.replace(/\.? Resolution note:\s*$/, ""));
}
