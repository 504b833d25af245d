// SPDX-License-Identifier: Apache-2.0
/** Envelopes and tree heads: what is signed, by whom, and what is refused. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { ecdsaFromDer } from "../verify/der";
import { toBase64, toHex } from "../verify/digests";
import { pae, parseEnvelope, verifyEnvelope } from "../verify/envelope";
import { parseVerifier, verifyTreeHead } from "../verify/treehead";
import { bytes, vectors } from "./vectors";

type Envelopes = {
  readonly pae: readonly { readonly payload: string; readonly pae: string }[];
  readonly public_key: string;
  readonly envelope: Json;
};
type TreeHeads = {
  readonly verifier: string;
  readonly log_id: string;
  readonly foreign_verifiers: readonly string[];
  readonly refused_verifiers: readonly string[];
  readonly head: { readonly origin: string; readonly size: number; readonly root: string };
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly why: string; readonly note: string }[];
};

const envelopes = vectors<Envelopes>("envelopes");
const treeheads = vectors<TreeHeads>("treeheads");

async function publicKey(): Promise<CryptoKey> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  return crypto.subtle.importKey("spki", bytes(envelopes.public_key), algorithm, true, ["verify"]);
}

test.each(envelopes.pae)("what is signed for $payload", (vector) => {
  expect(toBase64(pae(bytes(vector.payload)))).toBe(vector.pae);
});

test("an envelope verifies with its key, and with no other payload", async () => {
  const envelope = parseEnvelope(envelopes.envelope);
  await verifyEnvelope(envelope, await publicKey());
  const other = { ...envelope, payload: new TextEncoder().encode('{"a":2}') };
  await expect(verifyEnvelope(other, await publicKey())).rejects.toThrow("expected the signature");
});

test.each([
  ["nothing", []],
  ["another element", [0x31, 0]],
  ["one integer", [0x30, 3, 2, 1, 1]],
  ["a negative integer", [0x30, 6, 2, 1, 0x80, 2, 1, 1]],
  ["a padded integer", [0x30, 7, 2, 2, 0, 1, 2, 1, 1]],
  ["an integer too wide", [0x30, 8, 2, 3, 1, 1, 1, 2, 1, 1]],
  ["a long form for a short length", [0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]],
  ["an indefinite length", [0x30, 0x80, 2, 1, 1, 2, 1, 1]],
  ["bytes behind it", [0x30, 6, 2, 1, 1, 2, 1, 1, 0]],
  ["a length past the end", [0x30, 7, 2, 1, 1, 2, 1, 1]],
])("%s is no ECDSA signature", (_, encoded) => {
  expect(ecdsaFromDer(Uint8Array.from(encoded), 2)).toBeNull();
});

test("an ECDSA signature gets fixed width", () => {
  const encoded = Uint8Array.from([0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
  expect([...(ecdsaFromDer(encoded, 2) ?? [])]).toEqual([0, 1, 0, 0x80]);
});

test("a verifier key says which ledger it is of", async () => {
  const verifier = await parseVerifier(treeheads.verifier);
  expect(toHex(verifier.logId)).toBe(treeheads.log_id);
});

test.each(treeheads.foreign_verifiers)("%s is read too", async (vkey) => {
  expect((await parseVerifier(vkey)).origin).toBe(vkey.split("+")[0]);
});

test.each(treeheads.refused_verifiers)("%j is no verifier key", async (vkey) => {
  await expect(parseVerifier(vkey)).rejects.toThrow("verifier: expected");
});

test.each(treeheads.accepted.map((note) => [note]))("a tree head is accepted: %j", async (note) => {
  const { origin, size, root } = await verifyTreeHead(
    note,
    await parseVerifier(treeheads.verifier),
  );
  expect({ origin, size, root: toHex(root) }).toEqual(treeheads.head);
});

test.each(treeheads.refused)("a tree head with $why is refused", async ({ note }) => {
  const verifier = await parseVerifier(treeheads.verifier);
  await expect(verifyTreeHead(note, verifier)).rejects.toMatchObject({ code: "bad-tree-head" });
});
