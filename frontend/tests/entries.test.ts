// SPDX-License-Identifier: Apache-2.0
/** Ledger entries: one form for each kind, the same bytes as the registry logs. */
import { expect, test } from "vitest";
import { type EntryKind, ledgerLeaf, parseBundle } from "../verify/bundle";
import type { Json } from "../verify/canonical";
import { parseChain } from "../verify/certificates";
import { parseEnvelope } from "../verify/envelope";
import { bytes, changed, vectors } from "./vectors";

type Entries = {
  readonly envelope: Json;
  readonly chain: readonly string[];
  readonly entries: readonly { readonly kind: EntryKind; readonly body: string }[];
};
const vector = vectors<Entries>("entries");
const { model_signature: signature } = vectors<{ readonly model_signature: Json }>("evidence");
const ENTRY = ["verificationMaterial", "tlogEntries", 0] as const;

test.each(vector.entries)("an entry of kind $kind", async ({ kind, body }) => {
  const { leaf } = parseChain(vector.chain.map(bytes));
  const made = await ledgerLeaf(parseEnvelope(vector.envelope), leaf, kind);
  expect(new TextDecoder().decode(made)).toBe(body);
});

test("a bundle says which kind its entry is", () => {
  const other = { kind: "hashedrekord", version: "0.0.2" };
  expect(parseBundle(signature).kind).toBe("dsse/0.0.1");
  expect(parseBundle(changed(signature, [...ENTRY, "kindVersion"], other)).kind).toBe(
    "hashedrekord/0.0.2",
  );
});

test("a kind that is not known is refused", () => {
  const unknown = changed(signature, [...ENTRY, "kindVersion", "version"], "0.0.9");
  expect(() => parseBundle(unknown)).toThrow("dsse/0.0.1 or hashedrekord/0.0.2");
});
