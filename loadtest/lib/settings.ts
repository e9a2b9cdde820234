// The settings of a script, out of what k6 hands to it.
import {
  type LoadSettings,
  readLoadSettings,
} from "../../src/core/load/settings.ts";
import type { ShapeName } from "../../src/core/load/shapes.ts";

/**
 * Reads the settings of a script. What is wrong is in `problems`, which stop
 * the run in set-up. k6 does not tell what was set with `-e` from the rest.
 */
export function readSettings(shape: ShapeName): LoadSettings {
  return readLoadSettings(shape, __ENV);
}
