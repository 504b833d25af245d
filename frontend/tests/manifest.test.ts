// SPDX-License-Identifier: Apache-2.0
/** Manifests: which names exist, what the id is, and how two manifests differ. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { utf8 } from "../verify/canonical";
import { normalisedText, sha256 } from "../verify/digests";
import { InvalidDocument } from "../verify/errors";
import {
  canonicalManifest,
  checkName,
  differences,
  manifestId,
  parseManifest,
} from "../verify/manifest";
import { rootDigest } from "../verify/oms";
import { vectors } from "./vectors";

type Names = {
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly name: string; readonly why: string }[];
  readonly accepted_together: readonly (readonly string[])[];
  readonly refused_together: readonly (readonly string[])[];
};
type ManifestVector = {
  readonly manifest: Json;
  readonly canonical: string;
  readonly id: string;
  readonly oms_root: string;
};

const names = vectors<Names>("names");
const DIGEST = "00".repeat(32);

function listing(of: readonly string[]): Json {
  const files = of.map((name) => ({ name, sha256: DIGEST, size: 1 }));
  return { files, type: "https://assay/manifest/v1" };
}

test.each(names.accepted)("%j is a name", (name) => {
  expect(() => checkName(name)).not.toThrow();
});

test.each(names.refused)("$name is none: $why", ({ name }) => {
  expect(() => parseManifest(listing([name]))).toThrow(InvalidDocument);
});

test.each(names.accepted_together.map((list) => [list]))("%j go together", (list) => {
  expect(parseManifest(listing(list)).files).toHaveLength(list.length);
});

test.each(names.refused_together.map((list) => [list]))("%j do not go together", (list) => {
  expect(() => parseManifest(listing(list))).toThrow(InvalidDocument);
});

test.each(vectors<ManifestVector[]>("manifests"))(
  "$id is the digest of its bytes",
  async (vector) => {
    const manifest = parseManifest(vector.manifest);
    expect(utf8(canonicalManifest(manifest))).toBe(vector.canonical);
    expect(await manifestId(manifest)).toBe(vector.id);
    expect(await rootDigest(manifest)).toBe(vector.oms_root);
  },
);

test("an empty list of files is no manifest", () => {
  expect(() => parseManifest(listing([]))).toThrow("files: expected 1 to 10000 entries, found 0");
});

test("differences are named by kind", () => {
  const file = (name: string, size: number) => ({ name, sha256: DIGEST, size });
  const signed = { files: [file("a", 1), file("b", 1), file("c", 1)] };
  const found = { files: [file("a", 1), file("b", 2), file("d", 1)] };
  expect(differences(signed, found)).toBe("changed: b; missing: c; extra: d");
  expect(differences(signed, signed)).toBe("");
});

type TextVector = { readonly text: string; readonly normalised: string; readonly sha256: string };

test.each(vectors<TextVector[]>("texts"))("$text is normalised", async (vector) => {
  const normalised = normalisedText(vector.text);
  expect(normalised).toBe(vector.normalised);
  expect(await sha256(new TextEncoder().encode(normalised))).toBe(vector.sha256);
});
