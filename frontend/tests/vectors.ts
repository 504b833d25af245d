// SPDX-License-Identifier: Apache-2.0
/** Reads the vectors that Python and TypeScript share: tests/vectors/*.json. */
import { readFileSync } from "node:fs";
import type { Json, JsonObject } from "../verify/canonical";

const FOLDER = new URL("../../tests/vectors/", import.meta.url);

/** One file of vectors; the type is the test's own claim about it. */
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as T;
}

export function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

export type Place = readonly (string | number)[];

/** A copy of a document with one place set, or removed where `value` is undefined. */
export function changed(document: Json, [key, ...rest]: Place, value: Json | undefined): Json {
  if (key === undefined) return value ?? null;
  const copy = structuredClone(document) as Record<string | number, Json>;
  const inner = rest.length === 0 ? value : changed(copy[key] ?? null, rest, value);
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy as JsonObject;
}
