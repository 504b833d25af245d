// SPDX-License-Identifier: Apache-2.0
/** Which files an OMS statement lets lie beside a model's: one of two lists, and no other. */
import { expect, test } from "vitest";
import { type Json, loads } from "../verify/canonical";
import { InvalidDocument } from "../verify/errors";
import { modelSignature } from "../verify/oms";
import { parseStatement } from "../verify/statements/statement";
import { bytes, changed, vectors } from "./vectors";

type Signed = { readonly dsseEnvelope: { readonly payload: string } };

const { model_signature: signed } = vectors<{ readonly model_signature: Signed }>("evidence");
const payload = bytes(signed.dsseEnvelope.payload);
const DEFAULTS = [".git", ".gitattributes", ".github", ".gitignore"];

async function read(paths: Json): Promise<string> {
  const place = ["predicate", "serialization", "ignore_paths"];
  const statement = changed(loads(payload), place, paths);
  const text = new TextEncoder().encode(JSON.stringify(statement));
  return (await modelSignature(parseStatement(text))).rootSha256;
}

test("one wrapper as before, or two", async () => {
  const { rootSha256 } = await modelSignature(parseStatement(payload));
  expect(await read(["model.sig", ...DEFAULTS])).toBe(rootSha256);
  expect(await read(["model.sig", "model.sigstore.json", ...DEFAULTS])).toBe(rootSha256);
});

test.each([[[]], [DEFAULTS], [["model.sigstore.json", ...DEFAULTS]], [["model.sig", "weights"]]])(
  "no other list: %j",
  async (paths) => {
    await expect(read(paths)).rejects.toThrow(InvalidDocument);
  },
);
