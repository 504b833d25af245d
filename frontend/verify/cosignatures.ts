// SPDX-License-Identifier: Apache-2.0
/**
 * Cosignatures: how a witness says which tree head it saw, and when (C2SP tlog-cosignature).
 *
 * Of Ed25519 alone: browsers have no ML-DSA, so of such a line only the name is looked at. Which
 * witnesses are enough is left to whoever reads.
 */
import type { Bytes } from "./canonical";
import { concat, equalBytes, fromBase64, sha256Bytes, toBase64, toHex } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import {
  bodyOf,
  HINT_BYTES,
  isBy,
  ORIGIN,
  splitNote,
  type TreeHead,
  type Verifier,
} from "./treehead";

export type Witness = { readonly name: string; readonly key: Bytes };
/** A witness of either kind, whose key is null where it is for ML-DSA-44. */
export type Cosigner = {
  readonly name: string;
  readonly hint: Bytes;
  readonly key: Bytes | null;
  /** The kind and the key, as they are written: two witnesses with one key are one. */
  readonly material: Bytes;
};
export type Sign = (message: Bytes) => Promise<Bytes>;

const ED25519 = 0x04; // C2SP signed-note: the algorithm of the key
const ML_DSA_44 = 0x06;
const KEY_BYTES = 32;
const ML_DSA_44_KEY_BYTES = 1312;
/** Whoever signs this time says that the head is sound, and not when it was seen. */
export const UNSAID = 0;
const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
const LATEST = 2n ** 63n - 1n;

/** Read a C2SP verifier key of either kind: `name+8 hex digits+base64(0x04 or 0x06 and the key)`. */
export async function parseCosigner(value: string): Promise<Cosigner> {
  const [, name = "", said = "", encoded = ""] = /^([^+]*)\+([^+]*)\+(.*)$/.exec(value) ?? [];
  const material = fromBase64(encoded) ?? new Uint8Array();
  const isEd25519 = material[0] === ED25519 && material.length === 1 + KEY_BYTES;
  const isMlDsa = material[0] === ML_DSA_44 && material.length === 1 + ML_DSA_44_KEY_BYTES;
  if (!(isEd25519 || isMlDsa) || !ORIGIN.test(name)) {
    const expected = "name+hint+Ed25519 (0x04) or ML-DSA-44 (0x06) key";
    throw new InvalidDocument("witness", expected, value.slice(0, 80));
  }
  const hint = await hintOf(name, material);
  if (said !== toHex(hint)) throw new InvalidDocument("witness", `the hint ${toHex(hint)}`, said);
  return { name, hint, key: isEd25519 ? material.slice(1) : null, material };
}

/** Read a C2SP verifier key: `name+8 hex digits+base64(0x04 and the key)`. */
export async function parseWitness(value: string): Promise<Witness> {
  const { name, key } = await parseCosigner(value);
  if (key === null) {
    throw new InvalidDocument("witness", "name+hint+Ed25519 (0x04) key", value.slice(0, 80));
  }
  return { name, key };
}

/** The C2SP verifier key. */
export async function witnessText(witness: Witness): Promise<string> {
  const material = materialOf(witness);
  return `${witness.name}+${toHex(await hintOf(witness.name, material))}+${toBase64(material)}`;
}

/** The signature line of a witness that saw this head; `at` is in seconds since 1970. */
export async function cosign(
  head: TreeHead,
  witness: Witness,
  { at, sign }: { readonly at: number; readonly sign: Sign },
): Promise<string> {
  const hint = await hintOf(witness.name, materialOf(witness));
  const signed = concat(hint, timeBytes(at), await sign(message(head, BigInt(at))));
  return `— ${witness.name} ${toBase64(signed)}\n`;
}

/**
 * When this witness saw the note's tree head, by the first of its lines; null if it says nothing.
 *
 * Raises bad-tree-head if it is named and did not sign this: then the note is a forgery.
 */
export async function verifyCosignature(note: string, witness: Witness): Promise<number | null> {
  const { head, lines } = splitNote(note);
  const hint = await hintOf(witness.name, materialOf(witness));
  const times: number[] = [];
  for (const { name, signature } of lines) {
    if (name === witness.name && equalBytes(signature.subarray(0, HINT_BYTES), hint)) {
      times.push(Number(await timeOf(head, witness, signature.slice(HINT_BYTES))));
    }
  }
  const said = times.filter((at) => at !== UNSAID);
  return times.length === 0 ? null : Math.min(...(said.length > 0 ? said : times));
}

/**
 * Each line below the head is the ledger's, or one by which one of these witnesses signed it.
 *
 * Raises bad-tree-head. For notes that come with the keys of all who signed them: by itself a note
 * may have lines of anybody, and those of unknown keys say nothing (C2SP signed-note).
 */
export async function verifyEvery(
  note: string,
  ledger: Verifier,
  witnesses: readonly Cosigner[],
): Promise<void> {
  const { head, lines } = splitNote(note);
  for (const line of lines.filter((each) => !isBy(each, ledger))) {
    const said = line.signature.subarray(0, HINT_BYTES);
    const found = witnesses.find(({ name, hint }) => name === line.name && equalBytes(hint, said));
    if (found === undefined) {
      const expected = "expected lines of the ledger and of the witnesses named beside it";
      throw bad(`${expected}, found one of ${line.name}`);
    }
    const { name, key } = found;
    if (key !== null) await timeOf(head, { name, key }, line.signature.slice(HINT_BYTES));
  }
}

async function timeOf(head: TreeHead, witness: Witness, signed: Bytes): Promise<bigint> {
  const isWhole = signed.length === TIME_BYTES + SIGNATURE_BYTES;
  const at = isWhole ? new DataView(signed.buffer).getBigUint64(0) : LATEST + 1n;
  if (at > LATEST) {
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
function message(head: TreeHead, at: bigint): Bytes {
  return new TextEncoder().encode(`cosignature/v1\ntime ${at}\n${bodyOf(head)}`);
}

async function hintOf(name: string, material: Bytes): Promise<Bytes> {
  const named = concat(new TextEncoder().encode(`${name}\n`), material);
  return (await sha256Bytes(named)).slice(0, HINT_BYTES);
}

function materialOf({ key }: Witness): Bytes {
  return concat(Uint8Array.of(ED25519), key);
}

function timeBytes(at: number): Bytes {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(at));
  return bytes;
}

function bad(text: string): VerificationError {
  return new VerificationError("bad-tree-head", text);
}
