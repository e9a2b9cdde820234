import assert from "node:assert/strict";
import { join } from "node:path";
import config from "../../../deno.json" with { type: "json" };
import { Place } from "./_fakes.ts";
import { denoRow, findDeno } from "./deno.ts";

const FAKE_DENO = "#!/bin/sh\\necho deno 9.9.9\\n";

/** A folder with the system's commands that the fake clients use. */
async function makePlace(): Promise<Place> {
  const place = await Place.make();
  await place.linkCommands();
  for (const name of ["tar", "gzip", "chmod"]) {
    await Deno.symlink(`/bin/${name}`, join(place.bin, name));
  }
  return place;
}

/** A client that makes an executable in a folder, and then does `last`. */
function fakeClient(folder: string, last: string): string {
  return `#!/bin/sh
[ "$1" = --version ] && { echo pip 1.0; exit; }
for word; do
  [ "$was" = --target ] && { mkdir "$word"; cd "$word"; }
  was=$word
done
mkdir ${folder}
printf '${FAKE_DENO}' > ${folder}/deno
chmod 755 ${folder}/deno
${last}
`;
}

const FAKE_NPM = fakeClient(
  "package",
  "tar -czf deno.tgz package; echo deno.tgz",
);
const FAKE_PIP = fakeClient("bin", "");

Deno.test("findDeno() fetches a version with npm", async () => {
  await using place = await makePlace();
  place.write("npm", FAKE_NPM);
  const tool = await findDeno("9.9.9", place.options());
  assert.deepEqual(tool, {
    path: join(place.tools, "deno-9.9.9", "deno"),
    version: "9.9.9",
    origin: "fetched",
  });
  assert.deepEqual(await place.toolNames(), ["deno-9.9.9"]);
});

Deno.test("findDeno() fetches with pip what npm does not have", async () => {
  await using place = await makePlace();
  place.write(
    "npm",
    "#!/bin/sh\necho 'npm error: no such version' >&2; exit 1\n",
  );
  place.write("pip", FAKE_PIP);
  const tool = await findDeno("9.9.9", place.options());
  assert.equal(tool.origin, "fetched");
});

Deno.test("findDeno() says what both clients have said", async () => {
  await using place = await makePlace();
  place.write("npm", "#!/bin/sh\necho 'error: not there' >&2; exit 1\n");
  const advice = "put Deno 9.9.9 on PATH, or set DENO_9_9_9 to its path";
  await assert.rejects(findDeno("9.9.9", place.options()), {
    kind: "environment",
    message: "Cannot fetch Deno 9.9.9: npm failed (error: not there); check " +
      `the network, or ${advice}\nCannot fetch Deno 9.9.9: pip is not ` +
      `installed; install it (Debian: python3-pip), or ${advice}`,
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("denoRow() has digests for the pinned version only", () => {
  assert.equal(denoRow("9.9.9").digests, undefined);
  assert.match(
    denoRow(config.toolVersions.deno).digests?.["linux-x86_64"] ?? "",
    /^sha256:[0-9a-f]{64}$/,
  );
});
