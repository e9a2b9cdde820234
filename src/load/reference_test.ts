import assert from "node:assert/strict";
import { Greeter } from "../io/proto.ts";
import { callUnary, connect } from "../io/rpc.ts";
import { startReference } from "./reference.ts";

Deno.test("startReference() answers on loopback, until it is closed", async () => {
  const reference = await startReference();
  assert.match(reference.target, /^127\.0\.0\.1:\d+$/);
  const client = connect(Greeter, reference.target);
  try {
    await callUnary(client, "SayHello", {}, { deadlineMs: 5000 });
  } finally {
    client.close();
    reference.close();
  }
  const port = Number(reference.target.split(":")[1]);
  Deno.listen({ hostname: "127.0.0.1", port }).close();
});
