/** The schemas that deploy/kubernetes/gateway is checked against. */
import config from "../../deno.json" with { type: "json" };
import { ask, clientFailed, run } from "../../src/io/tools/fetch.ts";
import { findGo } from "../../src/io/tools/go.ts";
import { GO } from "../../src/io/tools/table.ts";
import { PROJECT } from "../docker/machine.ts";

const MODULE = "github.com/envoyproxy/gateway";
const VERSION = config.toolVersions["envoy-gateway"];

/** Where its module has them, as YAML that kubectl takes. */
const DEFINITIONS = "charts/gateway-helm/charts/crds/crds";

const WANTED = {
  title: "Envoy Gateway",
  version: VERSION,
  advice: "leave out the tests of deploy/kubernetes/gateway",
};

/** Downloading 20 MB. */
const FETCH_LIMIT_MS = 300_000;

/**
 * The folder with the resource definitions of Gateway API and Envoy Gateway,
 * which are fetched once, as a Go module.
 *
 * @param say Receives each step, in a sentence.
 * @throws {Failure} `environment` when the module cannot be had.
 */
export async function gatewayDefinitions(
  say: (line: string) => void,
): Promise<string> {
  const kept = `${PROJECT}.tools/envoy-gateway-${VERSION}`;
  if (await Deno.stat(kept).then(() => true, () => false)) return kept;
  const toolsFolder = `${PROJECT}.tools`;
  await Deno.mkdir(toolsFolder, { recursive: true });
  const folder = await Deno.makeTempDir({
    dir: toolsFolder,
    prefix: "envoy-gateway-",
  });
  try {
    const workspace = {
      ...{ folder, toolsFolder },
      env: (name: string) => Deno.env.get(name),
      onProgress: say,
      signal: undefined,
    };
    const go = await findGo(WANTED, workspace, GO);
    const module = `${MODULE}@v${VERSION}`;
    const list = [go.path, "list", "-m", module] as const;
    await ask(WANTED, workspace, "go", list, go.env);
    const words = ["mod", "download", "-json", module];
    const result = await run(workspace, go.path, words, {
      timeoutMs: FETCH_LIMIT_MS,
      env: go.env,
    });
    if (result.code !== 0) {
      throw clientFailed(WANTED, "go mod download", result);
    }
    const { Dir } = JSON.parse(result.stdout) as { readonly Dir: string };
    await Deno.rename(`${Dir}/${DEFINITIONS}`, kept);
    return kept;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
