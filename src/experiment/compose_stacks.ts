/** Compose stacks for experiments. */
import { ComposeStack } from "../stack/compose.ts";
import { demoProject } from "../stack/compose_project.ts";
import { freePorts } from "../stack/free_port.ts";
import type { StackFactory } from "./stacks.ts";

/** Compose stacks on free ports; images are built for the first one. */
export function composeStacks(): StackFactory {
  let isBuilt = false;
  return {
    name: "Compose",
    start: async (options) => {
      const demo = await demoProject();
      // Our images do not contain another program.
      const build = !isBuilt && options.serverProgram === undefined;
      const stack = await ComposeStack.start({
        ...options,
        ...freePorts(),
        project: `${demo}-experiment`, // One runs at a time.
        images: demo,
        allowFaults: true,
        build,
      });
      isBuilt ||= build;
      return stack;
    },
  };
}
