/** The permissions that are compiled into a binary. */
import config from "../../deno.json" with { type: "json" };
import type { Program } from "./targets.ts";

/** A permission set, as in deno.json. */
export type PermissionSet = Readonly<
  Record<string, boolean | readonly string[]>
>;

/** The kinds of permission that a set can grant. */
const KINDS = ["net", "env", "sys", "run", "read", "write", "ffi"];

/**
 * The flags for a permission set. Flags, because with the set's name Deno would
 * compile this machine's paths into the binary.
 *
 * @throws {RangeError} When the set has an unknown kind.
 */
export function permissionFlags(set: PermissionSet): readonly string[] {
  return Object.entries(set).flatMap(([kind, what]) => {
    if (!KINDS.includes(kind)) {
      throw new RangeError(`Cannot compile in the permission "${kind}"`);
    }
    if (what === false) return [];
    if (what === true) return [`--allow-${kind}`];
    // An empty list after "=" would grant everything.
    if (what.length === 0) return [];
    return [`--allow-${kind}=${what.join(",")}`];
  });
}

/** A program's permission set, the same from source and in its binary. */
export function permissionSet(program: Program): PermissionSet {
  return config.permissions[program];
}
