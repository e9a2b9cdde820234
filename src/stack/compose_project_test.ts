import assert from "node:assert/strict";
import { overrideOf } from "./compose_project.ts";
import { parseEnvoyConfig } from "./envoy_config.ts";

const FILE = {
  services: {
    envoy: {
      command: ["--config-path", "/envoy.yaml", "--concurrency", "1", "--x"],
    },
    "grpc-server": { command: ["--port", "8080"] },
  },
};

Deno.test("overrideOf() changes the commands and nothing else", () => {
  const config = parseEnvoyConfig();
  config["price"] = "$5";
  const change = { config, concurrency: 2, serverFlags: ["--name", "$HOME"] };
  const text = JSON.stringify(config).replace("$5", "$$$$5");
  assert.deepEqual(overrideOf(FILE, change), {
    services: {
      envoy: {
        command: ["--config-yaml", text, "--concurrency", "2", "--x"],
      },
      "grpc-server": { command: ["--port", "8080", "--name", "$$HOME"] },
    },
  });
});

Deno.test("overrideOf() leaves compose.yaml's commands when nothing changes", () => {
  assert.deepEqual(overrideOf(FILE, {}), FILE);
});

Deno.test("overrideOf() runs another program in the runtime's image", () => {
  const change = { serverProgram: "experiments/control/plain_server.ts" };
  const { services } = overrideOf(FILE, change, "/x/y.js") as {
    readonly services: Readonly<Record<string, Record<string, unknown>>>;
  };
  const server = services["grpc-server"] ?? {};
  assert.match(String(server["image"]), /^denoland\/deno:debian-\d/);
  assert.deepEqual(server["volumes"], ["/x/y.js:/server.js:ro"]);
  assert.deepEqual(server["command"], ["--port", "8080"]);
});
