/** What can be asked of a running stack, and what is refused. */
import { checkFault, type Fault } from "../core/fault.ts";
import {
  type CallKind,
  type Listener,
  LISTENERS,
  type LoadState,
} from "./state.ts";

/** What is done to one server. */
export const SERVER_ACTIONS = [
  "terminate",
  "kill",
  "pause",
  "resume",
  "restart",
  "clear",
] as const;

/** A request to change something. */
export type Action =
  | { readonly do: "scale"; readonly count: number }
  | { readonly do: typeof SERVER_ACTIONS[number]; readonly server: string }
  | { readonly do: "fault"; readonly server: string; readonly fault: Fault }
  | { readonly do: "restart-envoy" }
  | { readonly do: "load"; readonly load: Partial<LoadState> }
  | { readonly do: "protect"; readonly id: string; readonly isOn: boolean };
