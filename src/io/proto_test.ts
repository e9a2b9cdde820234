import assert from "node:assert/strict";
import { Admin, Greeter, GREETER_SERVICE } from "./proto.ts";

for (
  const [service, methods] of [
    [Greeter.service, [
      ["SayHello", "/demo.v1.Greeter/SayHello", false, false],
      ["StreamHellos", "/demo.v1.Greeter/StreamHellos", false, true],
      ["Chat", "/demo.v1.Greeter/Chat", true, true],
    ]],
    [Admin.service, [
      ["GetCounters", "/demo.v1.Admin/GetCounters", false, false],
    ]],
  ] as const
) {
  for (const [name, path, requestStream, responseStream] of methods) {
    Deno.test(`proto.ts defines ${path}`, () => {
      const found = service[name];
      assert.equal(found?.path, path);
      assert.equal(found?.requestStream, requestStream);
      assert.equal(found?.responseStream, responseStream);
    });
  }
}

Deno.test("the service that is checked is the Greeter", () => {
  assert.ok(Greeter.service["Chat"]?.path.startsWith(`/${GREETER_SERVICE}/`));
});

Deno.test("messages keep their fields; numbers are numbers", () => {
  const { responseSerialize, responseDeserialize } = Admin.service[
    "GetCounters"
  ] ?? assert.fail();
  const counters = {
    server: "a",
    uptimeMs: 2 ** 40,
    methods: [{
      method: "SayHello",
      started: 9,
      ok: 2,
      failed: 1,
      cancelled: 3,
      inFlight: 3,
      inFlightMax: 4,
    }],
  };
  assert.deepEqual(
    JSON.parse(
      JSON.stringify(responseDeserialize(responseSerialize(counters))),
    ),
    counters,
  );
});

Deno.test("fields that were not sent have their defaults", () => {
  const { requestSerialize, requestDeserialize } = Greeter.service[
    "SayHello"
  ] ?? assert.fail();
  const { name, workMs } = requestDeserialize(requestSerialize({})) as {
    readonly name: unknown;
    readonly workMs: unknown;
  };
  assert.deepEqual({ name, workMs }, { name: "", workMs: 0 });
});
