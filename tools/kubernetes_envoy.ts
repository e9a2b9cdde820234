/** Writes the copy of envoy.yaml that `kubectl apply -k` can read. */
import { helpText, parseFlags } from "../src/core/flags.ts";
import { runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { envoyYamlForKubernetes } from "../src/stack/envoy_kubernetes.ts";

/** The copy, in the project's folder. */
export const KUBERNETES_ENVOY_YAML =
  "deploy/kubernetes/base/generated/envoy.yaml";

async function run(): Promise<number> {
  const { help } = parseFlags({}, Deno.args);
  if (help) {
    const about = `Writes ${KUBERNETES_ENVOY_YAML} from envoy.yaml.`;
    print(helpText("kubernetes_envoy.ts", about, {}));
    return 0;
  }
  await Deno.writeTextFile(
    new URL(`../${KUBERNETES_ENVOY_YAML}`, import.meta.url),
    envoyYamlForKubernetes(),
  );
  return 0;
}

if (import.meta.main) await runProgram("kubernetes_envoy", run);
