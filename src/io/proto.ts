/**
 * The service definitions, made at start-up of the .proto files, which are
 * embedded as text: no file is read, no code is generated.
 */
import {
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { fromJSON, type PackageDefinition } from "@grpc/proto-loader";
import protobuf from "protobufjs";
import greeterProto from "../../proto/demo/v1/greeter.proto" with {
  type: "text",
};
import adminProto from "../../proto/demo/v1/admin.proto" with {
  type: "text",
};

/** The text of our .proto files, by the names that others import them by. */
export const PROTO_FILES: Readonly<Record<string, string>> = {
  "demo/v1/greeter.proto": greeterProto,
  "demo/v1/admin.proto": adminProto,
};

/** The Greeter service's full name; servers register it as healthy. */
export const GREETER_SERVICE = "demo.v1.Greeter";

/** The response header of SayHello that carries the server's name. */
export const SERVER_NAME_HEADER = "x-server-name";

/** Our messages are small; numbers beyond 2^53 do not occur in a demo. */
const LOADER_OPTIONS = { defaults: true, longs: Number } as const;

function loadDefinitions(): PackageDefinition {
  const root = new protobuf.Root();
  for (const text of Object.values(PROTO_FILES)) protobuf.parse(text, root);
  return fromJSON(root.toJSON(), LOADER_OPTIONS);
}

/** Both services as @grpc/proto-loader defines them. */
const packageDefinition: PackageDefinition = loadDefinitions();

function serviceClient(name: string): ServiceClientConstructor {
  const loaded = loadPackageDefinition(packageDefinition);
  const demo = (loaded["demo"] as GrpcObject)["v1"] as GrpcObject;
  return demo[name] as ServiceClientConstructor;
}

/** demo.v1.Greeter, for servers (`.service`) and clients (`new`). */
export const Greeter: ServiceClientConstructor = serviceClient("Greeter");

/** demo.v1.Admin, for servers (`.service`) and clients (`new`). */
export const Admin: ServiceClientConstructor = serviceClient("Admin");

/** A reply of SayHello, StreamHellos: see proto/demo/v1/greeter.proto. */
export interface HelloReply {
  readonly message: string;
  readonly server: string;
  readonly number: number;
}

/** A request of SayHello: see proto/demo/v1/greeter.proto. */
export interface SayHelloRequest {
  readonly name: string;
  readonly workMs: number;
}

/** A request of StreamHellos: see proto/demo/v1/greeter.proto. */
export interface StreamHellosRequest {
  readonly name: string;
  readonly count: number;
  readonly intervalMs: number;
}

/** A message of Chat from the caller. */
export interface ChatRequest {
  readonly text: string;
}

/** A message of Chat from the server. */
export interface ChatReply {
  readonly text: string;
  readonly server: string;
  readonly number: number;
}

/** Counts of one method: see proto/demo/v1/admin.proto. */
export interface MethodCounters {
  readonly method: string;
  readonly started: number;
  readonly ok: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly inFlight: number;
  readonly inFlightMax: number;
}

/** What a server has counted: see proto/demo/v1/admin.proto. */
export interface ServerCounters {
  readonly server: string;
  readonly uptimeMs: number;
  readonly methods: readonly MethodCounters[];
}
