import assert from "node:assert/strict";
import { missingImages } from "./images.ts";

Deno.test("missingImages() knows images by their full names, on every node", () => {
  const node = [
    "docker.io/library/server:latest",
    "docker.io/envoyproxy/envoy:v1",
    "registry.example:5000/load:latest",
  ];
  const wanted = [
    "server",
    "envoyproxy/envoy:v1",
    "registry.example:5000/load",
  ];
  assert.deepEqual(missingImages(wanted, [node]), []);
  assert.deepEqual(missingImages(wanted, [node, node.slice(1)]), ["server"]);
  assert.deepEqual(missingImages(["server:2"], [node]), ["server:2"]);
  assert.deepEqual(missingImages(["envoyproxy/envoy"], [node]), [
    "envoyproxy/envoy",
  ]);
  assert.deepEqual(missingImages(wanted, [[""]]), wanted);
});
