import assert from "node:assert/strict";
import { BASE_IMAGES, isUnknownImage } from "./base_images.ts";
import { PROJECT } from "./docker/machine.ts";

Deno.test("BASE_IMAGES are the images that Dockerfile and compose.yaml name", async () => {
  const dockerfile = await Deno.readTextFile(`${PROJECT}Dockerfile`);
  const compose = await Deno.readTextFile(`${PROJECT}compose.yaml`);
  const named = [
    ...dockerfile.matchAll(/^ARG [A-Z0-9]+_IMAGE=(\S+)$/gm),
    ...compose.matchAll(/^ +image: (?:&\w+ )?([^\s$]+:\S+)$/gm),
  ].map(([, name]) => name);
  assert.deepEqual(
    named.toSorted(),
    BASE_IMAGES.map((image) => image.name).toSorted(),
  );
});

Deno.test("isUnknownImage() tells a wrong name from a registry out of reach", () => {
  const rows = [
    [
      "Error response from daemon: manifest for denoland/deno:debian-0.0.0 not found: manifest unknown: manifest unknown",
      true,
    ],
    [
      "Error response from daemon: pull access denied for x/y, repository does not exist or may require 'docker login'",
      true,
    ],
    [
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
      false,
    ],
    [
      'Error response from daemon: Get "https://gcr.io/v2/": net/http: request canceled while waiting for connection',
      false,
    ],
    ["toomanyrequests: You have reached your pull rate limit.", false],
  ] as const;
  for (const [pullError, expected] of rows) {
    assert.equal(isUnknownImage(pullError), expected, pullError);
  }
});
