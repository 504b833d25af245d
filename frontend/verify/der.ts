// SPDX-License-Identifier: Apache-2.0
/** As much of DER as this verifier needs: elements in order, writing them, and ECDSA's two integers. */
import type { Bytes } from "./canonical";
import { concat, fromHex } from "./digests";

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const ENUMERATED = 0x0a;
export const UTF8_STRING = 0x0c;
export const PRINTABLE_STRING = 0x13;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
const LONG_FORM = 0x80;
const HIGH_TAG = 0x1f;
const MAX_LENGTH_BYTES = 4;
const MAX_TIME_BYTES = 15;
const MAX_ARC = 2n ** 128n - 1n; // as large as a UUID is (X.667)

export const NULL = Uint8Array.of(5, 0);
export const TRUE = Uint8Array.of(BOOLEAN, 1, 0xff);

/** One element: its content alone, and with its tag and length; `end` is where the next begins. */
export type Element = {
  readonly tag: number;
  readonly content: Bytes;
  readonly encoded: Bytes;
  readonly end: number;
};

/** The element that begins at `at`, or null where the bytes are not definite-length DER. */
export function element(data: Bytes, at = 0): Element | null {
  const tag = data[at];
  const first = data[at + 1];
  if (tag === undefined || first === undefined || (tag & HIGH_TAG) === HIGH_TAG) return null;
  if (first < LONG_FORM) return cut(data, at, at + 2, first);
  const count = first - LONG_FORM;
  if (count === 0 || count > MAX_LENGTH_BYTES || at + 2 + count > data.length) return null;
  const length = data.subarray(at + 2, at + 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  // DER wants the shortest form, so that one value has one encoding.
  if (length < LONG_FORM || data[at + 2] === 0) return null;
  return cut(data, at, at + 2 + count, length);
}

/** The elements inside `data`, or null where it does not end with the last one. */
export function elements(data: Bytes): readonly Element[] | null {
  const found: Element[] = [];
  for (let at = 0; at < data.length; ) {
    const next = element(data, at);
    if (next === null) return null;
    found.push(next);
    at = next.end;
  }
  return found;
}

/** The one element with this tag that these bytes are, or null. */
export function whole(data: Bytes, tag: number): Element | null {
  const found = element(data);
  return found?.tag === tag && found.end === data.length ? found : null;
}

/** What an element with this tag is made of, or null where it is another. */
export function inside(
  found: Element | null | undefined,
  tag = SEQUENCE,
): readonly Element[] | null {
  return found?.tag === tag ? elements(found.content) : null;
}

/** Whether it is an object identifier whose arcs are in their shortest form. */
export function isOid({ tag, content }: Element): boolean {
  if (tag !== OBJECT_IDENTIFIER || (content.at(-1) ?? LONG_FORM) >= LONG_FORM) return false;
  let arc = 0n;
  let isFirst = true;
  for (const byte of content) {
    if (isFirst && byte === LONG_FORM) return false;
    arc = (isFirst ? 0n : arc << 7n) | BigInt(byte & 0x7f);
    isFirst = byte < LONG_FORM;
    if (isFirst && arc > MAX_ARC) return false;
  }
  return true;
}

/** A UTCTime or GeneralizedTime in the one form that RFC 5280 lets: seconds, and `Z`; or null. */
export function readTime({ tag, content }: Element): Date | null {
  const written = String.fromCharCode(...content.subarray(0, MAX_TIME_BYTES + 1));
  const century = Number(written.slice(0, 2)) < 50 ? "20" : "19"; // RFC 5280, 4.1.2.5.1
  const digits = tag === UTC_TIME ? century + written : written;
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) return null;
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const at = new Date(text);
  // A day or an hour that there is not would be taken for another one.
  return !Number.isNaN(at.getTime()) && at.toISOString() === text && year !== "0000" ? at : null;
}

/** An element with this tag around these contents. */
export function encode(tag: number, ...contents: readonly Bytes[]): Bytes {
  const content = concat(...contents);
  if (content.length < LONG_FORM) return concat(Uint8Array.of(tag, content.length), content);
  const length: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256))
    length.unshift(rest % 256);
  return concat(Uint8Array.of(tag, LONG_FORM + length.length, ...length), content);
}

/** An object identifier; its arcs may be larger than a number holds, as those made from UUIDs are. */
export function objectIdentifier(dotted: string): Bytes {
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  const arcs = [first * 40n + second, ...rest];
  return encode(OBJECT_IDENTIFIER, Uint8Array.from(arcs.flatMap(base128)));
}

/** The same as people write it; of one in DER, in hexadecimal. */
export function dotted(oid: string): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of fromHex(oid).subarray(2)) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= LONG_FORM) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [both = 0n, ...rest] = arcs;
  const first = both < 80n ? both / 40n : 2n;
  return [first, both - first * 40n, ...rest].join(".");
}

/** A small INTEGER. */
export function integer(value: number): Bytes {
  return encode(INTEGER, Uint8Array.of(value));
}

/** A collection in a context tag. */
export function explicit(number: number, ...contents: readonly Bytes[]): Bytes {
  return encode(0xa0 + number, ...contents);
}

/** Seven bits a byte, the highest first; all but the last say that more follow. */
function base128(arc: bigint): number[] {
  const groups = [Number(arc % 128n)];
  for (let left = arc / 128n; left > 0n; left /= 128n) groups.unshift(Number(left % 128n) + 128);
  return groups;
}

/** The order of elements in a DER set. */
export function compare(one: Bytes, other: Bytes): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 ? one.length - other.length : (one[at] ?? 0) - (other[at] ?? -1);
}

/** WebCrypto wants r‖s at fixed width; certificates and envelopes carry SEQUENCE { r, s }. */
export function ecdsaFromDer(signature: Bytes, width: number): Bytes | null {
  const outer = element(signature);
  if (outer === null || outer.tag !== SEQUENCE || outer.end !== signature.length) return null;
  const [r, s, ...rest] = (elements(outer.content) ?? []).map((part) => fixedWidth(part, width));
  if (!r || !s || rest.length > 0) return null;
  return concat(r, s);
}

function cut(data: Bytes, at: number, start: number, length: number): Element | null {
  const end = start + length;
  if (end > data.length) return null;
  const tag = data[at] ?? 0;
  return { tag, content: data.slice(start, end), encoded: data.slice(at, end), end };
}

function fixedWidth(part: Element, width: number): Bytes | null {
  const [first, second] = part.content;
  if (part.tag !== INTEGER || first === undefined || first >= LONG_FORM) return null;
  if (first === 0 && second !== undefined && second < LONG_FORM) return null;
  const magnitude = first === 0 ? part.content.slice(1) : part.content;
  if (magnitude.length > width) return null;
  return concat(new Uint8Array(width - magnitude.length), magnitude);
}
