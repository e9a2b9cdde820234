/** Undoes what a Docker engine leaves in the packet filter. */

/** What Docker's rules mention: its chains or its bridges. */
const DOCKERS_OWN =
  /(?:^|\s)(?:DOCKER[A-Z0-9-]*|docker0|br-[0-9a-f]{12})(?:\s|$)/;

/** Docker's rule that lets a container reach its own published port. */
const HAIRPIN = /^-A POSTROUTING -s (\S+\/32) -d \1 .*-j MASQUERADE$/;

const CHAIN = /^:(DOCKER[A-Z0-9-]*) /;

/** Whether a line of `iptables-save` is one of Docker's rules. */
export function isDockersRule(line: string): boolean {
  return line.startsWith("-A ") &&
    (DOCKERS_OWN.test(line) || HAIRPIN.test(line));
}

/**
 * Makes the input of `iptables-restore --noflush` that removes Docker's rules
 * and chains, and nothing else. A dead container's rules matter: they still
 * redirect a published port to where nothing listens.
 *
 * @param saved What `iptables-save` printed.
 * @param options `forwardPolicy` is the policy of the FORWARD chain before the
 * engine set it to DROP; undefined leaves it.
 * @returns Empty when there is nothing to remove.
 */
export function removalOfDockersRules(
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
      const [, chain] = CHAIN.exec(line) ?? [];
      if (chain !== undefined) chains.push(chain);
      if (options.forwardPolicy !== undefined && table[0] === "*filter") {
        const policy = `:FORWARD ${options.forwardPolicy} `;
        const isOther = line.startsWith(":FORWARD ") &&
          !line.startsWith(policy);
        if (isOther) table.push(`${policy}[0:0]`);
      }
    } else if (isDockersRule(line)) {
      const [, chain] = /^-A (\S+)/.exec(line) ?? [];
      // Docker's own chains are flushed below.
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
