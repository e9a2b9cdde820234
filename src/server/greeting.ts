/** What the Greeter's RPCs share: identity, limits, errors. */
import { Metadata, type StatusObject } from "@grpc/grpc-js";

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

/** Longest text in a request, in characters; proto/demo/v1 states it. */
export const TEXT_CHARACTERS_MAX = 1024;

/**
 * Counts a text's characters as Unicode code points, as callers in every
 * language can. JavaScript's `length` counts an emoji as two.
 */
export function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Longest wait a request may ask for; proto/demo/v1 states it. */
export const WAIT_MS_MAX = 60_000;

/** What ends a call with a status other than OK. */
export type CallError = Partial<StatusObject> & {
  readonly code: number;
  readonly details: string;
};

/** Makes a call's error; `details` is shown to the caller. */
export function callError(code: number, details: string): CallError {
  return { code, details, metadata: new Metadata() };
}

/** The complaint about the first request field beyond its limit, if any. */
export function limitComplaint(
  fields: readonly (readonly [
    name: string,
    value: number,
    min: number,
    max: number,
  ])[],
): string | undefined {
  for (const [name, value, min, max] of fields) {
    if (value < min || value > max) {
      return `${name} must be from ${min} to ${max}, not ${value}`;
    }
  }
  return undefined;
}
