/** The shared memory by which one Envoy takes over from another. */
import { runToEnd } from "../io/processes.ts";

/** Envoy adds one more digit; any number will do. */
const BASE_ID_MAX = 100_000_000;

/** Chooses an id for an Envoy and its successors, unlike any other Envoy's. */
export function chooseBaseId(): number {
  return Math.floor(Math.random() * BASE_ID_MAX);
}

/**
 * Removes the file of 104 bytes that Envoys with this id leave behind, on
 * Linux; elsewhere there is none.
 */
export async function removeSharedMemory(baseId: number): Promise<void> {
  const path = `/dev/shm/envoy_shared_memory_${baseId}0`;
  if (Deno.build.os !== "linux") return;
  // So little is no reason to fail.
  await runToEnd("/bin/rm", ["-f", path]).catch(() => {});
}
