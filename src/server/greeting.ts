/** What the Greeter's RPCs share: identity, limits, errors. */
import { Metadata, status, type StatusObject } from "@grpc/grpc-js";

/** The server that answers, and how many replies it has made. */
export interface Identity {
  readonly server: string;
  /** Counts one more reply and returns its number, from 1. */
  nextNumber(): number;
}

/** Makes the identity of a server that has not replied yet. */
export function createIdentity(server: string): Identity {
  let replies = 0;
  return { server, nextNumber: () => ++replies };
}

/** What ends a call with a status other than OK. */
export type CallError = Partial<StatusObject> & {
  readonly code: number;
  readonly details: string;
};

/** Makes a call's error; `details` is shown to the caller. */
export function callError(code: number, details: string): CallError {
  return { code, details, metadata: new Metadata() };
}

/** A field of a request, and the range of its value. */
export type Limit = readonly [
  name: string,
  value: number,
  min: number,
  max: number,
];

/**
 * The limit of a text; proto/demo/v1 states it. Its characters are counted as
 * Unicode code points, as callers in every language can. JavaScript's `length`
 * counts an emoji as two.
 */
export function textLimit(name: string, text: string): Limit {
  let count = 0;
  for (const _ of text) count += 1;
  return [`characters of ${name}`, count, 0, 1024];
}

/** The limit of a wait that a request asks for; proto/demo/v1 states it. */
export function waitLimit(name: string, ms: number): Limit {
  return [name, ms, 0, 60_000];
}

/** The error of a request with a field beyond its limit, if it has one. */
export function limitError(...limits: readonly Limit[]): CallError | undefined {
  for (const [name, value, min, max] of limits) {
    if (value >= min && value <= max) continue;
    return callError(
      status.INVALID_ARGUMENT,
      `${name} must be from ${min} to ${max}, not ${value}`,
    );
  }
  return undefined;
}
