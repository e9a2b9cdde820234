/** Undoes what a Docker engine or Kubernetes leaves in the packet filter. */

/** How the lines of `iptables-save` show whose they are. */
const OWNERS = {
  docker: {
    chain: /^:(DOCKER[A-Z0-9-]*) /,
    // Its chains, its bridges, and the rule that lets a container reach its own
    // published port.
    rule:
      /^-A (?:.*\s)?(?:DOCKER[A-Z0-9-]*|docker0|br-[0-9a-f]{12})(?:\s|$)|^-A POSTROUTING -s (\S+\/32) -d \1 .*-j MASQUERADE$/,
  },
  kubernetes: {
    chain: /^:(KUBE-[A-Z0-9-]*) /,
    rule: /^-A (?:.*\s)?KUBE-[A-Z0-9-]*(?:\s|$)/,
  },
} as const;

/** Who made a rule. */
export type RuleOwner = keyof typeof OWNERS;

/** Whether a line of `iptables-save` is one of an owner's rules. */
export function isRuleOf(owner: RuleOwner, line: string): boolean {
  return OWNERS[owner].rule.test(line);
}

/**
 * Makes the input of `iptables-restore --noflush` that removes an owner's rules
 * and chains, and nothing else. A dead container's rules matter: they still
 * redirect a published port to where nothing listens.
 *
 * @param saved What `iptables-save` printed.
 * @param options `forwardPolicy` is the policy of the FORWARD chain before the
 * engine set it to DROP; undefined leaves it.
 * @returns Empty when there is nothing to remove.
 */
export function removalOfRules(
  owner: RuleOwner,
  saved: string,
  options: { readonly forwardPolicy?: string } = {},
): string {
  const lines: string[] = [];
  let table: string[] = [];
  let chains: string[] = [];
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) {
      table = [line];
      chains = [];
    } else if (line.startsWith(":")) {
      const [, chain] = OWNERS[owner].chain.exec(line) ?? [];
      if (chain !== undefined) chains.push(chain);
      if (options.forwardPolicy !== undefined && table[0] === "*filter") {
        const policy = `:FORWARD ${options.forwardPolicy} `;
        const isOther = line.startsWith(":FORWARD ") &&
          !line.startsWith(policy);
        if (isOther) table.push(`${policy}[0:0]`);
      }
    } else if (isRuleOf(owner, line)) {
      const [, chain] = /^-A (\S+)/.exec(line) ?? [];
      // The owner's chains are flushed below.
      if (chains.includes(chain ?? "")) continue;
      table.push(line.replace(/^-A/, "-D"));
    } else if (line === "COMMIT") {
      table.push(...chains.map((chain) => `-F ${chain}`));
      table.push(...chains.map((chain) => `-X ${chain}`));
      if (table.length > 1) lines.push(...table, "COMMIT");
    }
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/**
 * The FORWARD chain's policy without Docker.
 *
 * @param saved The output of `iptables-save` while no engine was running.
 */
export function forwardPolicyOf(saved: string): string {
  const [filter = ""] = /^\*filter\n(?:.*\n)*?COMMIT$/m.exec(saved) ?? [];
  // Docker's chains are a dead engine's leftovers, and so is its DROP. An
  // unused table accepts everything.
  if (/^:DOCKER /m.test(filter)) return "ACCEPT";
  return /^:FORWARD (\S+)/m.exec(filter)?.[1] ?? "ACCEPT";
}
