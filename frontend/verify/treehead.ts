// SPDX-License-Identifier: Apache-2.0
/**
 * Tree heads: the ledger's size and root as a C2SP signed note, and the key that verifies it.
 *
 * Further signature lines, of witnesses, are read and ignored, as C2SP demands.
 */
import type { Bytes } from "./canonical";
import { concat, equalBytes, fromBase64, sha256Bytes, toBase64, toHex } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";

const MAX_NOTE_CHARACTERS = 64 * 1024;
export const MAX_SIGNATURE_LINES = 16;
export const HINT_BYTES = 4;
const KEY_BYTES = 32;
const ROOT_BYTES = 32;
const ED25519 = 0x01;
export const ORIGIN = /^[!-*,-~]{1,255}$/;
const BODY = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([^\n]+)\n$/;
// C2SP signed-note: no control characters, and no space (Unicode's White_Space) or plus in a name.
// Spelt out, as languages differ in what their `\s` is.
const NAME = "[^\\x00-\\x20+\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const SIGNATURE = new RegExp(`^— (${NAME}) ([A-Za-z0-9+/=]+)$`);

export type TreeHead = { readonly origin: string; readonly size: number; readonly root: Bytes };
export type Verifier = { readonly origin: string; readonly logId: Bytes; readonly key: Bytes };
export type Line = { readonly name: string; readonly signature: Bytes; readonly text: string };
type Split = {
  readonly head: TreeHead;
  readonly body: string;
  readonly lines: readonly Line[];
};

/** Read a C2SP verifier key: `origin+8 hex digits+base64(0x01 and the key)`. */
export async function parseVerifier(value: string): Promise<Verifier> {
  const [, origin = "", hint = "", encoded = ""] = /^([^+]*)\+([^+]*)\+(.*)$/.exec(value) ?? [];
  const material = fromBase64(encoded);
  if (material?.length !== KEY_BYTES + 1 || material[0] !== ED25519 || !ORIGIN.test(origin)) {
    throw new InvalidDocument("verifier", "origin+hint+Ed25519 key", value.slice(0, 80));
  }
  const logId = await sha256Bytes(concat(new TextEncoder().encode(`${origin}\n`), material));
  const expected = toHex(logId.subarray(0, HINT_BYTES));
  if (hint !== expected) throw new InvalidDocument("verifier", `the hint ${expected}`, hint);
  return { origin, logId, key: material.slice(1) };
}

/** The C2SP verifier key. */
export function verifierText({ origin, logId, key }: Verifier): string {
  const material = concat(Uint8Array.of(ED25519), key);
  return `${origin}+${toHex(logId.subarray(0, HINT_BYTES))}+${toBase64(material)}`;
}

/** The text of a tree head that is signed. */
export function bodyOf({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** The tree head, if the ledger with this key signed exactly this note's text. */
export async function verifyTreeHead(note: string, verifier: Verifier): Promise<TreeHead> {
  const { head, body, lines } = splitNote(note);
  if (head.origin !== verifier.origin) {
    throw bad(`expected a tree head of ${verifier.origin}, found one of ${head.origin}`);
  }
  const found = lines.filter((line) => isBy(line, verifier));
  const [ours] = found;
  if (ours === undefined || found.length > 1) {
    throw bad(`expected one signature by the pinned ledger key, found ${found.length}`);
  }
  const key = await crypto.subtle.importKey("raw", verifier.key, "Ed25519", false, ["verify"]);
  const signed = new TextEncoder().encode(body);
  const signature = ours.signature.slice(HINT_BYTES);
  if (!(await crypto.subtle.verify("Ed25519", key, signature, signed))) {
    throw bad("expected a tree head that the pinned ledger key signed");
  }
  return head;
}

/** A note that was verified, with the ledger's own line alone: witnesses may have added many. */
export function withoutWitnesses(note: string, verifier: Verifier): string {
  const { body, lines } = splitNote(note);
  const ours = lines.filter((line) => isBy(line, verifier)).map(({ text }) => `${text}\n`);
  return `${body}\n${ours.join("")}`;
}

/** The tree head, the text that is signed, and of each signature line the name and the bytes. */
export function splitNote(note: string): Split {
  const end = note.indexOf("\n\n");
  if (charactersIn(note) > MAX_NOTE_CHARACTERS || end < 0)
    throw bad("expected a short signed note");
  const body = note.slice(0, end + 1);
  const [, origin = "", size = "", encoded = ""] = BODY.exec(body) ?? [];
  const root = fromBase64(encoded);
  if (root?.length !== ROOT_BYTES || !Number.isSafeInteger(Number(size))) {
    throw bad("expected origin, size and root, each on its line; found another note");
  }
  const signed = note.slice(end + 2);
  const lines = signed === "" ? [] : signed.replace(/\n$/, "").split("\n");
  if (lines.length > MAX_SIGNATURE_LINES || (signed !== "" && !signed.endsWith("\n"))) {
    throw bad(`expected at most ${MAX_SIGNATURE_LINES} signature lines`);
  }
  return { head: { origin, size: Number(size), root }, body, lines: lines.map(lineOf) };
}

/** Whether a line is in the name of the ledger's key. */
export function isBy({ name, signature }: Line, { origin, logId }: Verifier): boolean {
  const hint = signature.subarray(0, HINT_BYTES);
  return name === origin && equalBytes(hint, logId.subarray(0, HINT_BYTES));
}

function lineOf(text: string): Line {
  const [, name, encoded] = SIGNATURE.exec(text) ?? [];
  const signature = fromBase64(encoded ?? "");
  if (name === undefined || signature === null || signature.length <= HINT_BYTES) {
    throw bad("expected signature lines `— name base64`, found another line");
  }
  return { name, signature, text };
}

/** Of Unicode, as everywhere else: an astral one is two in JavaScript. */
function charactersIn(note: string): number {
  return note.length - (note.match(/[\ud800-\udbff]/g)?.length ?? 0);
}

function bad(message: string): VerificationError {
  return new VerificationError("bad-tree-head", message);
}
