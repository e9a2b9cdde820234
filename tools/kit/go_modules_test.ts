import assert from "node:assert/strict";
import { goModules } from "./go_modules.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("goModules() reads what Go's linker has added", () => {
  const text = "\x7fELF dep\tno.test/one\tv0.1.0\th1:AA=\n\0\xff" +
    "path\ta.test/program\nmod\ta.test/program\tv1.2.3\th1:AQ=\n" +
    "dep\tb.test/part/v2\tv2.0.0-rc.1+x\th1:Ag=\n" +
    "build\t-compiler=gc\ndep\tno.test/two\tv0.1.0\th1:AA=\n";
  assert.deepEqual(goModules(bytes(text)), [
    { path: "a.test/program", version: "v1.2.3", sum: "h1:AQ=" },
    { path: "b.test/part/v2", version: "v2.0.0-rc.1+x", sum: "h1:Ag=" },
  ]);
});

Deno.test("goModules() finds none in another program", () => {
  assert.deepEqual(goModules(bytes("#!/bin/sh\nexit\n")), []);
});
