/** What a run on an L4 listener teaches, in plain words. */
import type { LoadReport } from "./report.ts";

/** Up to so many connections, the calls lie visibly on few servers. */
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
        "So many connections look nearly balanced; with CONNECTIONS=1 and the " +
        "shape connections it is seen what L4 does",
      ]
      : []),
  ];
}
