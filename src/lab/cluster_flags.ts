/** The flags that choose a cluster. */
import { Failure } from "../core/errors.ts";
import { words } from "../core/flags.ts";
import { isFromSource } from "../io/build.ts";

/** Which of kubectl's contexts is used. */
export const CONTEXT_FLAG = {
  name: "context",
  placeholder: "NAME",
  help: "With --kubernetes: kubectl's context; the only one unless given",
  default: "",
  parse: words(253),
} as const;

/**
 * Checks that at most one kind of stack is asked for, and nothing of it that it
 * does not have.
 *
 * @throws {Failure} `usage`, naming both flags; `environment` in a binary or a
 * kit, which have no manifests.
 */
export function requireOneStack(
  { isDocker, isKubernetes, context, configFile }: {
    readonly isDocker: boolean;
    readonly isKubernetes: boolean;
    readonly context: string;
    /** "" for none. */
    readonly configFile: string;
  },
): void {
  if (isDocker && isKubernetes) {
    throw new Failure(
      "usage",
      "--docker and --kubernetes exclude each other; leave one of them out",
    );
  }
  if (isKubernetes && !isFromSource()) {
    throw new Failure(
      "environment",
      "--kubernetes applies the project's manifests; use `./denow task` in " +
        "the project's folder, or leave it out",
    );
  }
  if (isKubernetes && configFile !== "") {
    throw new Failure(
      "usage",
      `--config ${configFile} has no effect with --kubernetes, where Envoy ` +
        "has the configuration of deploy/kubernetes; leave one of them out",
    );
  }
  if (context === "" || isKubernetes) return;
  throw new Failure(
    "usage",
    `--context ${context} has no effect without --kubernetes; add it, or leave both out`,
  );
}
