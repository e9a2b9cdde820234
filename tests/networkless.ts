/** Tests in a namespace that has no network but a loopback of its own. */
import { testWhere, type TestWithNeeds, whyNotRun } from "./needs.ts";

/** Root needs no namespace of users, in which it would not be root. */
const NAMESPACES = Deno.uid() === 0 ? "-nm" : "-rnm";

/**
 * What is put before a command, so that it runs without any network but a
 * loopback, and with a /dev/shm of its own.
 */
export const NETWORKLESS: readonly string[] = [
  ...["unshare", NAMESPACES, "sh", "-c"],
  'ip link set lo up && mount -t tmpfs tmpfs /dev/shm && exec "$@"',
  "sh",
];

/** A test that is skipped where there can be no such namespace. */
export async function networklessTest(what: string): Promise<TestWithNeeds> {
  const [command = "", ...args] = NETWORKLESS;
  return testWhere(what, await whyNotRun(command, [...args, "true"]));
}
