// The settings of a script, from k6's environment.
import {
  type LoadSettings,
  readLoadSettings,
} from "../../src/core/load/settings.ts";
import type { ShapeName } from "../../src/core/load/shapes.ts";

/**
 * Reads the settings of a script. Errors go into `problems`, which abort the
 * run in set-up. k6 does not distinguish `-e` from the environment.
 */
export function readSettings(shape: ShapeName): LoadSettings {
  return readLoadSettings(shape, __ENV);
}
