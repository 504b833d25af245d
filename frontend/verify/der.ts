// SPDX-License-Identifier: Apache-2.0
/** As much of DER as this verifier needs: elements in order, writing them, and ECDSA's two integers. */
import type { Bytes } from "./canonical";
import { concat } from "./digests";

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
const LONG_FORM = 0x80;
const HIGH_TAG = 0x1f;
const MAX_LENGTH_BYTES = 4;

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
