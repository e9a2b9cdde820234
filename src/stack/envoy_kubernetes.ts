/** Derives the configuration of Envoys on Kubernetes from envoy.yaml. */
import { Failure } from "../core/errors.ts";
import { ENVOY_YAML } from "./envoy_config.ts";

/** A text of envoy.yaml and what stands there on Kubernetes. */
interface TextChange {
  readonly from: string;
  readonly to: string;
}

const LISTENER_ADDRESS = "address: { socket_address: { address: 0.0.0.0,";

/** Listeners that only `kubectl port-forward` reaches, inside the pod. */
function onLoopback(listener: string): TextChange {
  const from = `    - name: ${listener}\n      ${LISTENER_ADDRESS}`;
  return { from, to: from.replace("0.0.0.0", "127.0.0.1") };
}

/**
 * What differs on Kubernetes. The drain is in deploy/kubernetes/base/envoy.yaml,
 * beside the hook that asks for it.
 */
const CHANGES: readonly TextChange[] = [
  onLoopback("l4"),
  onLoopback("admin"),
  {
    from: `                common_http_protocol_options:
                  idle_timeout: 300s
`,
    to: `                common_http_protocol_options:
                  idle_timeout: 300s
                  # A caller's connection stays with one Envoy. So that new Envoys
                  # get their share, each is told to finish at this age (default:
                  # never): callers open another, and no call is lost.
                  max_connection_duration: 60s
`,
  },
];

const HEAD =
  `# Written by tools/kubernetes_envoy.ts from this repository's envoy.yaml; change
# that one. What differs:
#
#   listeners l4, admin  on 127.0.0.1: kubectl port-forward reaches them, and no
#                        other pod does
#   listener grpc        max_connection_duration, so that callers find new Envoys
#
`;

/**
 * Makes the configuration of Envoys on Kubernetes, comments included.
 *
 * @param text The text of envoy.yaml (default: this project's).
 * @throws {Failure} `internal` when a text to change is not there exactly once.
 */
export function envoyYamlForKubernetes(text: string = ENVOY_YAML): string {
  return HEAD + CHANGES.reduce((changed, { from, to }) => {
    const [before, after, ...others] = changed.split(from);
    if (before === undefined || after === undefined || others.length > 0) {
      throw new Failure(
        "internal",
        `envoy.yaml must have this text once, which Kubernetes changes: ${
          JSON.stringify(from)
        }; adapt src/stack/envoy_kubernetes.ts`,
      );
    }
    return before + to + after;
  }, text);
}
