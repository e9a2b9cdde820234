/** The actions on a running stack, and the checks that refuse bad ones. */
import { checkFault, type Fault, FAULT_KINDS } from "../core/fault.ts";
import { messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { CALL_KINDS, LISTENERS, type LoadState } from "./state.ts";

/** Actions on one server. */
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

/** What a stack offers; anything else is refused. */
export interface Offer {
  readonly servers: readonly string[];
  readonly serversMax: number;
  readonly protections: readonly string[];
}

/** Why a request is refused: one sentence, safe to show. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

type Fields = Readonly<Record<string, unknown>>;

/** Renders a value for a refusal. */
function shown(value: unknown): string {
  return printable(JSON.stringify(value) ?? "nothing", 60);
}

function wholeIn(name: string, value: unknown, min: number, max: number) {
  if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) {
    throw new Refusal(
      `${name} must be a whole number from ${min} to ${max}, not ${
        shown(value)
      }`,
    );
  }
  return Number(value);
}

function oneOf<T extends string>(
  name: string,
  value: unknown,
  known: readonly T[],
): T {
  const found = known.find((word) => word === value);
  if (found !== undefined) return found;
  throw new Refusal(
    `${name} must be one of ${known.join(", ")}, not ${shown(value)}`,
  );
}

function onlyFields(given: Fields, known: readonly string[]): void {
  const strange = Object.keys(given).find((name) => !known.includes(name));
  if (strange === undefined) return;
  throw new Refusal(
    `There is no field ${shown(strange)} here; the fields are ${
      known.join(", ")
    }`,
  );
}

function fieldsOf(name: string, value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Fields;
  }
  throw new Refusal(`${name} must be an object, not ${shown(value)}`);
}

/** The check for each setting of the load. */
const LOAD_CHECKS: {
  readonly [K in keyof LoadState]: (value: unknown) => LoadState[K];
} = {
  ratePerS: (value) => wholeIn("ratePerS", value, 0, 500),
  connections: (value) => wholeIn("connections", value, 1, 16),
  kind: (value) => oneOf("kind", value, CALL_KINDS),
  workMs: (value) => wholeIn("workMs", value, 0, 1000),
  messageCharacters: (value) => wholeIn("messageCharacters", value, 1, 1024),
  listeners: (value) => {
    const given: readonly unknown[] = Array.isArray(value) ? value : [value];
    const asked = given.map((one) => oneOf("listeners", one, LISTENERS));
    return LISTENERS.filter((one) => asked.includes(one));
  },
};

function checkLoad(given: Fields): Partial<LoadState> {
  onlyFields(given, Object.keys(LOAD_CHECKS));
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      LOAD_CHECKS[name as keyof LoadState](value),
    ]),
  );
}

/** The type of each field of a fault; checkFault() checks the ranges. */
const FAULT_FIELDS: Readonly<Record<keyof Fault, string>> = {
  kind: "string",
  durationMs: "number",
  share: "number",
  seed: "number",
  code: "number",
  isAfterHeaders: "boolean",
  delayMs: "number",
  delayShape: "string",
  isServing: "boolean",
};

function checkFaultFields(given: Fields): Fault {
  onlyFields(given, Object.keys(FAULT_FIELDS));
  oneOf("kind", given["kind"], FAULT_KINDS);
  for (const [name, value] of Object.entries(given)) {
    const wanted = FAULT_FIELDS[name as keyof Fault];
    const type: string = typeof value;
    if (type === wanted) continue;
    throw new Refusal(`${name} must be a ${wanted}, not ${shown(value)}`);
  }
  try {
    return checkFault(given as unknown as Fault);
  } catch (error) {
    throw new Refusal(messageOf(error), { cause: error });
  }
}

/**
 * Turns a request into an action.
 *
 * @param value Any JSON value.
 * @throws {Refusal} When it is not an action, or asks for something that the
 * stack does not have.
 */
export function checkAction(value: unknown, offer: Offer): Action {
  const given = fieldsOf("An action", value);
  const verb = oneOf("do", given["do"], [
    ...["scale", "fault", "restart-envoy", "load", "protect"] as const,
    ...SERVER_ACTIONS,
  ]);
  const server = () => {
    const { servers } = offer;
    return oneOf("server", given["server"], servers);
  };
  switch (verb) {
    case "scale":
      onlyFields(given, ["do", "count"]);
      return {
        do: verb,
        count: wholeIn("count", given["count"], 1, offer.serversMax),
      };
    case "fault": {
      onlyFields(given, ["do", "server", "fault"]);
      const fault = checkFaultFields(fieldsOf("fault", given["fault"]));
      return { do: verb, server: server(), fault };
    }
    case "restart-envoy":
      onlyFields(given, ["do"]);
      return { do: verb };
    case "load":
      onlyFields(given, ["do", "load"]);
      return { do: verb, load: checkLoad(fieldsOf("load", given["load"])) };
    case "protect": {
      onlyFields(given, ["do", "id", "isOn"]);
      const { isOn } = given;
      if (typeof isOn !== "boolean") {
        throw new Refusal(`isOn must be true or false, not ${shown(isOn)}`);
      }
      return {
        do: verb,
        id: oneOf("id", given["id"], offer.protections),
        isOn,
      };
    }
    default:
      onlyFields(given, ["do", "server"]);
      return { do: verb, server: server() };
  }
}
