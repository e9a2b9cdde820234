/** What a request can do to Envoy by its admin page, for tests. */
import {
  type EnvoyConfig,
  parseEnvoyConfig,
} from "../src/stack/envoy_config.ts";
import type { Stack } from "../src/stack/stack.ts";

/** What one may have changed. */
export interface AdminState {
  /** Whether Envoy passes its own health check. */
  readonly isReady: boolean;
  /** Listeners that were drained and closed. */
  readonly stopped: number;
}

/** An Envoy that nobody has changed. */
export const UNTOUCHED: AdminState = { isReady: true, stopped: 0 };

/** What Envoy's state is now. */
export async function stateOf({ admin }: Stack): Promise<AdminState> {
  const name = "listener_manager.listener_stopped";
  return {
    isReady: await admin.isReady(),
    stopped: (await admin.stats(`^${name}$`)).get(name) ?? 0,
  };
}

/** envoy.yaml, but its admin interface has a port that looks at nobody. */
export function openAdmin(): EnvoyConfig {
  const config = parseEnvoyConfig();
  const statics = config.static_resources;
  statics.listeners = statics.listeners.filter(({ name }) => name !== "admin");
  statics.clusters = statics.clusters.filter(({ name }) => name !== "admin");
  config.admin.address = {
    socket_address: { address: "127.0.0.1", port_value: 9901 },
  };
  return config;
}
