// SPDX-License-Identifier: Apache-2.0
/**
 * Cosignatures: how a witness says which tree head it saw, and when (C2SP tlog-cosignature).
 *
 * Of Ed25519 alone: browsers have no ML-DSA. Which witnesses are enough is left to whoever reads.
 */
import type { Bytes } from "./canonical";
import { concat, equalBytes, fromBase64, sha256Bytes, toBase64, toHex } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import { bodyOf, HINT_BYTES, ORIGIN, splitNote, type TreeHead } from "./treehead";

export type Witness = { readonly name: string; readonly key: Bytes };
export type Sign = (message: Bytes) => Promise<Bytes>;

const ED25519 = 0x04; // C2SP signed-note: the algorithm of the key
const KEY_BYTES = 32;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** Read a C2SP verifier key: `name+8 hex digits+base64(0x04 and the key)`. */
export async function parseWitness(value: string): Promise<Witness> {
  const [, name = "", hint = "", encoded = ""] = /^([^+]*)\+([^+]*)\+(.*)$/.exec(value) ?? [];
  const material = fromBase64(encoded);
  if (material?.length !== KEY_BYTES + 1 || material[0] !== ED25519 || !ORIGIN.test(name)) {
    throw new InvalidDocument("witness", "name+hint+Ed25519 (0x04) key", value.slice(0, 80));
  }
  const witness = { name, key: material.slice(1) };
  const expected = toHex(await hintOf(witness));
  if (hint !== expected) throw new InvalidDocument("witness", `the hint ${expected}`, hint);
  return witness;
}

/** The C2SP verifier key. */
export async function witnessText(witness: Witness): Promise<string> {
  const material = concat(Uint8Array.of(ED25519), witness.key);
  return `${witness.name}+${toHex(await hintOf(witness))}+${toBase64(material)}`;
}

/** The signature line of a witness that saw this head; `at` is in seconds since 1970. */
export async function cosign(
  head: TreeHead,
  witness: Witness,
  { at, sign }: { readonly at: number; readonly sign: Sign },
): Promise<string> {
  const signed = concat(await hintOf(witness), timeBytes(at), await sign(message(head, at)));
  return `— ${witness.name} ${toBase64(signed)}\n`;
}

/**
 * When this witness saw the note's tree head, by the first of its lines; null if it says nothing.
 *
 * Raises bad-tree-head if it is named and did not sign this: then the note is a forgery.
 */
export async function verifyCosignature(note: string, witness: Witness): Promise<number | null> {
  const { head, lines } = splitNote(note);
  const hint = await hintOf(witness);
  const times: number[] = [];
  for (const { name, signature } of lines) {
    if (name === witness.name && equalBytes(signature.subarray(0, HINT_BYTES), hint)) {
      times.push(await timeOf(head, witness, signature.slice(HINT_BYTES)));
    }
  }
  const said = times.filter((at) => at > 0); // zero is no time: the head is sound, and no more
  return times.length === 0 ? null : Math.min(...(said.length > 0 ? said : times));
}

async function timeOf(head: TreeHead, witness: Witness, signed: Bytes): Promise<number> {
  const isWhole = signed.length === TIME_BYTES + SIGNATURE_BYTES;
  const at = isWhole ? Number(new DataView(signed.buffer).getBigUint64(0)) : Number.NaN;
  if (!Number.isSafeInteger(at)) {
    throw bad(`expected a time and a signature of ${witness.name}, found other bytes`);
  }
  const key = await crypto.subtle.importKey("raw", witness.key, "Ed25519", false, ["verify"]);
  const signature = signed.slice(TIME_BYTES);
  if (!(await crypto.subtle.verify("Ed25519", key, signature, message(head, at)))) {
    throw bad(`expected a tree head that ${witness.name} cosigned`);
  }
  return at;
}

/** What is signed: a text that names the time and the tree, and not the signer. */
function message(head: TreeHead, at: number): Bytes {
  return new TextEncoder().encode(`cosignature/v1\ntime ${at}\n${bodyOf(head)}`);
}

async function hintOf({ name, key }: Witness): Promise<Bytes> {
  const named = concat(new TextEncoder().encode(`${name}\n`), Uint8Array.of(ED25519), key);
  return (await sha256Bytes(named)).slice(0, HINT_BYTES);
}

function timeBytes(at: number): Bytes {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(at));
  return bytes;
}

function bad(text: string): VerificationError {
  return new VerificationError("bad-tree-head", text);
}
