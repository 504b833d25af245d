// SPDX-License-Identifier: Apache-2.0
/** SHA-256, the written forms of a digest, and the text whose copies still verify. */
import type { Bytes } from "./canonical";

/** SHA-256 as raw bytes. */
export async function sha256Bytes(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/** SHA-256 as lower-case hexadecimal. */
export async function sha256(data: Bytes): Promise<string> {
  return toHex(await sha256Bytes(data));
}

/** Text as its readers see it: NFC, LF, no spaces at line ends, no line feeds at the end. */
export function normalisedText(text: string): string {
  const lines = text.normalize("NFC").replace(/\r\n?/g, "\n").split("\n");
  return withoutAtEnd(lines.map((line) => withoutAtEnd(line, " \t")).join("\n"), "\n");
}

/** In one pass: of `/\n+$/` each run of them costs its square, and `$` of lines takes U+2028 for an end. */
function withoutAtEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** `sha256:…` as printed and in URLs. */
export function asId(hex: string): string {
  return `sha256:${hex}`;
}

export function toHex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toBase64(data: Uint8Array): string {
  let binary = "";
  for (const byte of data) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Standard, padded base64 and nothing else, or null: `atob` would also take spaces. */
export function fromBase64(encoded: string): Bytes | null {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded))
    return null;
  const data = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  // The unused low bits of the last character must be zero, or two texts would mean one value.
  return toBase64(data) === encoded ? data : null;
}

export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
