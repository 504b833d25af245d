// SPDX-License-Identifier: Apache-2.0
/**
 * JSON in the one form whose bytes are hashed and signed: RFC 8785, integers only.
 *
 * `loads` refuses what two readers could understand differently: duplicate keys, numbers that are
 * not integers in ±(2^53 − 1), lone surrogates, deep or huge documents (docs/spec/formats.md).
 */
import { equalBytes, fromBase64 } from "./digests";
import { InvalidDocument } from "./errors";
import { Reader } from "./json";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };
export type Bytes = Uint8Array<ArrayBuffer>;

export const MAX_BYTES = 8 * 1024 * 1024;
export const MAX_DEPTH = 32;
const MAX_CHARACTERS = 4096;
const FOUND_CHARACTERS = 80;
const MAX_ITEMS = 10_000;

/** The canonical bytes of a value. */
export function dumps(value: Json): Bytes {
  return new TextEncoder().encode(write(value));
}

/** Parse bytes strictly. Raises InvalidDocument. */
export function loads(data: Uint8Array, maxBytes = MAX_BYTES, maxDepth = MAX_DEPTH): Json {
  if (data.length > maxBytes) {
    throw new InvalidDocument("document", `at most ${maxBytes} bytes`, String(data.length));
  }
  return new Reader(utf8(data), maxDepth).document();
}

/** Parse bytes that must already be in canonical form, so that no two readings have one digest. */
export function loadsCanonical(data: Uint8Array): Json {
  const value = loads(data);
  if (!equalBytes(dumps(value), data)) {
    throw new InvalidDocument("document", "the canonical form of RFC 8785", "another form");
  }
  return value;
}

/** Bytes as text; what is not UTF-8 is refused, and a byte order mark is kept to be refused. */
export function utf8(data: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new InvalidDocument("document", "UTF-8 text", "other bytes");
  }
}

/** A string that is not empty. */
export function text(from: JsonObject, field: string, maxCharacters = MAX_CHARACTERS): string {
  const value = get(from, field);
  if (typeof value !== "string" || value === "" || lengthOf(value) > maxCharacters) {
    return refuse(field, `a string of 1 to ${maxCharacters} characters`, value);
  }
  return value;
}

/** An integer of at least `minimum`. */
export function integer(from: JsonObject, field: string, minimum = 0): number {
  const value = get(from, field);
  if (typeof value !== "number" || value < minimum) {
    return refuse(field, `an integer of at least ${minimum}`, value);
  }
  return value;
}

/** A digest: 64 lower-case hexadecimal characters. */
export function sha256Hex(from: JsonObject, field: string): string {
  const value = get(from, field);
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) {
    return refuse(field, "64 lower-case hexadecimal characters", value);
  }
  return value;
}

/** Bytes in standard padded base64, in the only way in which they can be written. */
export function base64Bytes(from: JsonObject, field: string): Bytes {
  const value = get(from, field);
  const data = typeof value === "string" ? fromBase64(value) : null;
  if (data === null || data.length === 0) {
    return refuse(field, "bytes in standard padded base64", value);
  }
  return data;
}

/** An object. */
export function mapping(from: JsonObject, field: string): JsonObject {
  return asMapping(get(from, field), field);
}

/** An array. */
export function items(from: JsonObject, field: string, maximum = MAX_ITEMS): readonly Json[] {
  const value = get(from, field);
  if (!isArray(value)) return refuse(field, "an array", value);
  if (value.length > maximum) {
    throw new InvalidDocument(field, `at most ${maximum} items`, String(value.length));
  }
  return value;
}

/** An array of exactly one. */
export function single(from: JsonObject, field: string): Json {
  const [first, ...rest] = items(from, field);
  if (first === undefined || rest.length > 0) {
    throw new InvalidDocument(field, "exactly one", String(items(from, field).length));
  }
  return first;
}

/** A time: RFC 3339, UTC, whole seconds, `Z`. */
export function instant(from: JsonObject, field: string): Date {
  const value = text(from, field);
  const at = new Date(value);
  if (Number.isNaN(at.getTime()) || at.toISOString().replace(".000Z", "Z") !== value) {
    return refuse(field, "a time such as 2026-11-20T09:30:00Z", value);
  }
  return at;
}

/** A string that can only be one. */
export function literal(from: JsonObject, field: string, expected: string): void {
  const value = get(from, field);
  if (value !== expected) refuse(field, expected, value);
}

/** What `read` reads, or null for null; the field itself must be there. */
export function nullable<T>(
  from: JsonObject,
  field: string,
  read: (from: JsonObject, field: string) => T,
): T | null {
  return get(from, field) === null ? null : read(from, field);
}

/** An object, found at `field`. */
export function asMapping(value: Json, field: string): JsonObject {
  if (value === null || typeof value !== "object" || isArray(value)) {
    return refuse(field, "an object", value);
  }
  return value;
}

/** Refuse fields that the format does not know: they would be shown, signed and never checked. */
export function only(from: JsonObject, ...fields: readonly string[]): void {
  const extra = Object.keys(from).find((field) => !fields.includes(field));
  if (extra !== undefined) throw new InvalidDocument(extra, "no such field", "one");
}

/** Name the fields of an inner document from the outer one. */
export function within<T>(prefix: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InvalidDocument ? error.under(prefix) : error;
  }
}

function get(from: JsonObject, field: string): Json {
  const value = Object.hasOwn(from, field) ? from[field] : undefined;
  if (value === undefined) throw new InvalidDocument(field, "a value", "no such field");
  return value;
}

function refuse(field: string, expected: string, found: Json): never {
  throw new InvalidDocument(field, expected, shown(found));
}

/** A value as an error message may show it: one short line. */
function shown(value: Json): string {
  if (isArray(value)) return "an array";
  if (value !== null && typeof value === "object") return "an object";
  const whole = JSON.stringify(value);
  return whole.length > FOUND_CHARACTERS ? `${whole.slice(0, FOUND_CHARACTERS)}…` : whole;
}

function lengthOf(value: string): number {
  return Array.from(value).length;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function write(value: Json): string {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new InvalidDocument("number", "an integer within ±(2^53 - 1)", String(value));
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(write).join(",")}]`;
  // RFC 8785 sorts by UTF-16 code units, which is how JavaScript compares strings.
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${write(value[key] ?? null)}`).join(",")}}`;
}
