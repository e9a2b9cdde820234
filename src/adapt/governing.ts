/** Finds the lines that govern a call in any Envoy configuration. */
import { excerptFrom } from "../core/yaml.ts";
import type { Configuration } from "../doctor/configuration.ts";
import { followCalls, type ReadNamed } from "../doctor/model.ts";
import {
  GOVERNING,
  type GoverningLines,
  type GoverningPart,
} from "../stack/governing.ts";
import { callIn, unaryCluster } from "./call.ts";

/**
 * Finds them where a call comes by, whatever names the configuration has.
 *
 * @param options As those of adapt().
 * @returns None for a part that is not set, or where no call can be followed.
 */
export function governingLines(
  configuration: Configuration,
  { readNamed, service }: {
    readonly readNamed: ReadNamed;
    readonly service?: string;
  },
): readonly GoverningLines[] {
  const circumstances = { services: [], concurrency: undefined, envoys: 1 };
  const model = followCalls(configuration, circumstances, readNamed);
  const call = callIn(model, service);
  if (call === undefined) return [];
  const { action, virtualHost } = call.route;
  const cluster = unaryCluster(call)?.message;
  return (Object.keys(GOVERNING) as GoverningPart[]).flatMap((part) => {
    const { of, path } = GOVERNING[part];
    // A route without a retry policy has that of its virtual host.
    const place = (of === "cluster"
      ? cluster?.field(path)
      : action.field(path) ?? virtualHost.field(path))?.place;
    if (place === undefined) {
      return [];
    }
    const { source, offset } = place;
    const excerpt = excerptFrom(source.text, source.positionOf(offset));
    return [{ part, file: source.name, ...excerpt }];
  });
}
