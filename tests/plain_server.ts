/** A plain grpc-js server, without what ours does about bad peers. */
import { promisify } from "node:util";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { Greeter } from "../src/io/proto.ts";
import { print } from "../src/io/terminal.ts";

const server = new Server();
server.addService(Greeter.service, {});
const port = await promisify(server.bindAsync.bind(server))(
  "127.0.0.1:0",
  ServerCredentials.createInsecure(),
);
print(`serving on ${port}`);
