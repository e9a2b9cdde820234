/** What a cluster has noted about the objects of a namespace. */
import { printable } from "../core/printable.ts";
import type { Kubectl } from "./kubectl.ts";

/** A scheduler's message about many nodes is longer. */
const WORDS_UNITS_MAX = 300;

const TEMPLATE =
  '{range .items[*]}{.involvedObject.name}: {.message}{"\\n"}{end}';

/** The last warning, with its object's name; "" if there is none to be had. */
export async function lastWarning(
  kubectl: Pick<Kubectl, "tryTo">,
): Promise<string> {
  const { code, stdout } = await kubectl.tryTo([
    ...["get", "events", "--field-selector=type=Warning"],
    ...["--sort-by=.metadata.creationTimestamp"],
    `--output=jsonpath=${TEMPLATE}`,
  ]);
  const last = code === 0 ? stdout.trim().split("\n").at(-1) : undefined;
  return printable(last ?? "", WORDS_UNITS_MAX);
}
