// SPDX-License-Identifier: Apache-2.0
/** Outputs of a batch by their proofs, against the vectors that Python's verifier is held to. */
import { expect, test } from "vitest";
import { dumps, type Json } from "../verify/canonical";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import { batchClaim, parsePlaced } from "../verify/statements/batch";
import { parseStatement } from "../verify/statements/statement";
import { parseProof } from "../verify/tlog";
import { parseTrustRoot } from "../verify/trust";
import { examineBatched } from "../verify/verify/batches";
import { contentOf } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { changed, type Place, vectors } from "./vectors";

type Shown = { readonly text: string; readonly proof: string };
type Changed = Partial<Shown> & {
  readonly name: string;
  readonly failed: readonly string[];
  readonly batch?: Json;
  readonly remove?: string;
  readonly lines?: Json;
};
type Vectors = {
  readonly trust_root: Json;
  readonly as_of: string;
  readonly evidence: Json;
  readonly outputs: readonly Shown[];
  readonly shown: number;
  readonly changed: readonly Changed[];
  readonly statement: Json;
  readonly refused: readonly { readonly path: Place; readonly value: Json }[];
  readonly placed: Json;
  readonly not_placed: readonly { readonly field: string; readonly value: Json }[];
};

const given = vectors<Vectors>("batches");
const encoded = (text: string) => new TextEncoder().encode(text);

async function examined({ text, proof, batch, remove, lines }: Partial<Changed>) {
  const shown = given.outputs[given.shown];
  if (shown === undefined) throw new Error("expected an output");
  const put = batch ? changed(given.evidence, ["bundles", "batch"], batch) : given.evidence;
  const left = remove ? changed(put, ["bundles", remove], undefined) : put;
  const document = lines ? changed(left, ["lines"], lines) : left;
  const required = { asOf: new Date(given.as_of), acceptsExcerpt: true };
  return examineBatched(
    await parseEvidence(document),
    parseProof(encoded(proof ?? shown.proof)),
    groundsOf(await parseTrustRoot(given.trust_root), required),
    await contentOf(text ?? shown.text),
  );
}

test.each(given.changed)("$name", async (change) => {
  const { steps } = await examined(change);
  const failed = steps.filter(({ outcome }) => outcome === "failed");
  expect(failed.map(({ code }) => code)).toEqual(change.failed);
});

test.each(given.outputs)("each verifies by its own proof: $text", async (output) => {
  const { match, parts, steps } = await examined(output);
  expect(match).toBe("identical");
  expect(steps.every(({ outcome }) => outcome === "passed")).toBe(true);
  expect(parts.output?.claim.value?.claim).toBe("caller-asserted");
});

test.each(given.refused)("no batch: $path", ({ path, value }) => {
  const document = changed(given.statement, path, value);
  expect(() => batchClaim(parseStatement(dumps(document)))).toThrow(InvalidDocument);
});

test.each(given.not_placed)("no place: $field", ({ field, value }) => {
  expect(() => parsePlaced(dumps(changed(given.placed, [field], value)))).toThrow(InvalidDocument);
});

test("a place is written in one way only", () => {
  const loose = encoded(JSON.stringify(given.placed, null, 1));
  expect(() => parsePlaced(loose)).toThrow("canonical form");
});
