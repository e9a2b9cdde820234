import assert from "node:assert/strict";
import { requireDistinctPorts } from "./up_flags.ts";

Deno.test("requireDistinctPorts() lets servers have the admin port's neighbours", () => {
  requireDistinctPorts({ grpcPort: 1, adminPort: 3, serverPort: 4 });
  requireDistinctPorts({ grpcPort: 1, adminPort: 3 });
});

for (
  const [ports, sentence] of [
    [[5, 5, 9], "--admin-port 5 is also the port of callers"],
    [[5, 6, 9], "--admin-port 6 is also the L4 port, one above --port"],
    [[5, 7, 5], "--server-port 5 is also the port of callers"],
    [[5, 7, 6], "--server-port 6 is also the L4 port, one above --port"],
    [[5, 7, 7], "--server-port 7 is also the admin port"],
  ] as const
) {
  const [grpcPort, adminPort, serverPort] = ports;
  Deno.test(`requireDistinctPorts() refuses ${ports.join(", ")}`, () => {
    assert.throws(
      () => requireDistinctPorts({ grpcPort, adminPort, serverPort }),
      {
        name: "Failure",
        kind: "usage",
        message: `${sentence}; choose another`,
      },
    );
  });
}
Deno.test("requireDistinctPorts() counts each server's port where they share an address", () => {
  const ports = { grpcPort: 5, adminPort: 12, serverPort: 10 };
  requireDistinctPorts({ ...ports, serverPorts: 2 });
  assert.throws(() => requireDistinctPorts({ ...ports, serverPorts: 3 }), {
    kind: "usage",
    message: "--server-port 10 to 12 includes the admin port; choose another",
  });
});
