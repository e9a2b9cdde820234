/**
 * The service definitions, made at start-up from the .proto files, which are
 * embedded as text: no file is read and no code is generated.
 */
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type GrpcObject,
  loadPackageDefinition,
  type Metadata,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { fromJSON, type PackageDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import greeterProto from "../../proto/demo/v1/greeter.proto" with {
  type: "text",
};
import adminProto from "../../proto/demo/v1/admin.proto" with {
  type: "text",
};

/** The text of our .proto files, by their import names. */
export const PROTO_FILES: Readonly<Record<string, string>> = {
  "demo/v1/greeter.proto": greeterProto,
  "demo/v1/admin.proto": adminProto,
};

/** The Greeter service's full name; servers register it as healthy. */
export const GREETER_SERVICE = "demo.v1.Greeter";

/** The response header of SayHello that carries the server's name. */
export const SERVER_NAME_HEADER = "x-server-name";

/** Numbers beyond 2^53 do not occur in the demo. */
const LOADER_OPTIONS = { defaults: true, longs: Number } as const;

function loadDefinitions(): PackageDefinition {
  const root = new protobuf.Root();
  for (const text of Object.values(PROTO_FILES)) protobuf.parse(text, root);
  return fromJSON(root.toJSON(), LOADER_OPTIONS);
}

/** Both services as @grpc/proto-loader defines them. */
const packageDefinition: PackageDefinition = loadDefinitions();

/** A service, for servers (`.service`) and clients (`new`). */
export interface Service<C extends Client> {
  new (
    address: string,
    credentials: ChannelCredentials,
    options?: Partial<ClientOptions>,
  ): C;
  readonly service: ServiceDefinition;
}

function loadService<C extends Client>(name: string): Service<C> {
  const loaded = loadPackageDefinition(packageDefinition);
  const demo = (loaded["demo"] as GrpcObject)["v1"] as GrpcObject;
  return demo[name] as unknown as Service<C>;
}

/** demo.v1.Greeter. */
export const Greeter: Service<GreeterClient> = loadService("Greeter");

/** demo.v1.Admin. */
export const Admin: Service<AdminClient> = loadService("Admin");

/** One request, one reply. A missing request field is 0 or empty. */
export type UnaryMethod<Q, R> = (
  request: Partial<Q>,
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, reply?: R) => void,
) => ClientUnaryCall;

/** One request, a stream of replies. */
export type StreamMethod<Q, R> = (
  request: Partial<Q>,
  metadata: Metadata,
  options: CallOptions,
) => ClientReadableStream<R>;

/** A stream of requests, a stream of replies. */
export type BidiMethod<Q, R> = (
  metadata: Metadata,
  options: CallOptions,
) => ClientDuplexStream<Partial<Q>, R>;

/** A server's counters. */
export type ServerCounters = GetCountersResponse;

// From here on: the .proto files as types, which a test compares with them.

/** A client of demo.v1.Greeter. */
export interface GreeterClient extends Client {
  SayHello: UnaryMethod<SayHelloRequest, SayHelloResponse>;
  StreamHellos: StreamMethod<StreamHellosRequest, StreamHellosResponse>;
  Chat: BidiMethod<ChatRequest, ChatResponse>;
}

export interface SayHelloRequest {
  readonly name: string;
  readonly workMs: number;
}

export interface SayHelloResponse {
  readonly message: string;
  readonly server: string;
  readonly number: number;
}

export interface StreamHellosRequest {
  readonly name: string;
  readonly count: number;
  readonly intervalMs: number;
}

export interface StreamHellosResponse {
  readonly message: string;
  readonly server: string;
  readonly number: number;
}

export interface ChatRequest {
  readonly text: string;
}

export interface ChatResponse {
  readonly text: string;
  readonly server: string;
  readonly number: number;
}

/** A client of demo.v1.Admin. */
export interface AdminClient extends Client {
  GetCounters: UnaryMethod<GetCountersRequest, GetCountersResponse>;
  SetFault: UnaryMethod<SetFaultRequest, SetFaultResponse>;
  ClearFaults: UnaryMethod<ClearFaultsRequest, ClearFaultsResponse>;
}

/** Has no fields. */
export type GetCountersRequest = Readonly<Record<string, never>>;

export interface GetCountersResponse {
  readonly server: string;
  readonly uptimeMs: number;
  readonly methods: readonly MethodCounters[];
}

export interface MethodCounters {
  readonly method: string;
  readonly started: number;
  readonly ok: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly inFlight: number;
  readonly inFlightMax: number;
}

export interface SetFaultRequest {
  readonly kind: string;
  readonly durationMs: number;
  readonly share?: number;
  readonly seed: number;
  readonly code?: number;
  readonly afterHeaders: boolean;
  readonly delayMs: number;
  readonly delayShape: string;
  readonly notServing: boolean;
}

/** Has no fields. */
export type SetFaultResponse = Readonly<Record<string, never>>;

/** Has no fields. */
export type ClearFaultsRequest = Readonly<Record<string, never>>;

/** Has no fields. */
export type ClearFaultsResponse = Readonly<Record<string, never>>;
