/** What a run on an L4 listener shows, in plain words. */
import type { LoadReport } from "./report.ts";

/** With up to this many connections, calls visibly reach few servers. */
const FEW_CONNECTIONS = 2;

/** "3 connections", "1 connection". */
function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** Lines for the summary; none when calls are balanced. */
export function pinLines({ pins, servers, asked }: LoadReport): string[] {
  if (pins === null) return [];
  const { connections, l7 } = pins;
  const used = servers.filter(({ calls }) => calls > 0);
  const idle = asked.servers - used.length;
  const names = used.map(({ name }) => name).join(", ");
  const l7Counts = Object.values(l7.calls);
  const l7Total = l7Counts.reduce((sum, calls) => sum + calls, 0);
  return [
    `L4 balances connections: ${counted(connections, "connection")}, and all ` +
    `calls stay where ${connections === 1 ? "it leads" : "they lead"}: ` +
    (idle > 0
      ? `${names}; ${counted(idle, "server")} got nothing`
      : `every server has some of them`),
    `L7 balances calls: ${l7Total} calls on one connection through ` +
    `${l7.target} went ${l7Counts.join(", ")}`,
    ...(connections > FEW_CONNECTIONS
      ? [
        "This many connections look nearly balanced; CONNECTIONS=1 with the " +
        "shape connections shows what L4 does",
      ]
      : []),
  ];
}
