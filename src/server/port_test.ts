import assert from "node:assert/strict";
import { openPort } from "./port.ts";

/** Opens ports as a listener does, and closes them again. */
const listener = {
  listen: (hostname: string, port: number) => {
    using opened = Deno.listen({ hostname, port });
    return opened.addr.port;
  },
};

Deno.test("openPort() returns the port that was opened", () => {
  assert.ok(openPort(listener, "127.0.0.1", 0) > 0);
});

Deno.test("openPort() fails when the port is taken", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  assert.throws(() => openPort(listener, "127.0.0.1", port), {
    name: "Failure",
    kind: "environment",
    message: `Cannot listen on 127.0.0.1:${port}: the port is taken; stop ` +
      "what uses it or choose another with --port",
  });
});

for (
  const [host, address, why] of [
    ["192.0.2.1", "192.0.2.1:0", "[A-Za-z ]+"],
    ["2001:db8::1", "\\[2001:db8::1\\]:0", "[A-Za-z ]+"],
    ["nobody.invalid", "nobody.invalid:0", "[^;]+"],
  ] as const
) {
  Deno.test(`openPort() fails with one sentence on ${host}`, () => {
    assert.throws(() => openPort(listener, host, 0), {
      name: "Failure",
      kind: "environment",
      message: new RegExp(
        `^Cannot listen on ${address}: ${why}; choose an address of this ` +
          "machine with --host$",
      ),
    });
  });
}
