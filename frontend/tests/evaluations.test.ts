// SPDX-License-Identifier: Apache-2.0
/** Evaluations, against the vectors that Python's verifier is held to. */
import { expect, test } from "vitest";
import { dumps, type Json } from "../verify/canonical";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import { evaluationClaim, withdrawalClaim } from "../verify/statements/evaluation";
import { parseStatement } from "../verify/statements/statement";
import { parseTrustRoot } from "../verify/trust";
import { examineEvaluation } from "../verify/verify/evaluations";
import { groundsOf } from "../verify/verify/requirements";
import { changed, type Place, vectors } from "./vectors";

type Mutation = {
  readonly name: string;
  readonly set?: readonly { readonly path: Place; readonly value: Json }[];
  readonly remove?: readonly Place[];
  readonly failed?: readonly string[];
  readonly error?: string;
};
type Vectors = {
  readonly trust_root: Json;
  readonly as_of: string;
  readonly evidence: Json;
  readonly statement: Json;
  readonly withdrawal: Json;
  readonly mutations: readonly Mutation[];
  readonly refused: readonly {
    readonly of: "statement" | "withdrawal";
    readonly why: string;
    readonly path: Place;
    readonly value: Json;
  }[];
};

const given = vectors<Vectors>("evaluations");
const CLAIMS = { statement: evaluationClaim, withdrawal: withdrawalClaim };
const required = { asOf: new Date(given.as_of) };

test.each(given.mutations)("$name", async ({ set = [], remove = [], failed = [], error }) => {
  const replaced = set.reduce((all, { path, value }) => changed(all, path, value), given.evidence);
  const document = remove.reduce((all, path) => changed(all, path, undefined), replaced);
  const trust = await parseTrustRoot(given.trust_root);
  const { steps } = await examineEvaluation(
    await parseEvidence(document),
    groundsOf(trust, required),
  );
  const found = steps.filter(({ outcome }) => outcome === "failed");
  expect(found.map(({ code }) => code)).toEqual(failed);
  expect(found[0]?.error ?? undefined).toBe(error);
});

test.each(given.refused)("$why is refused", ({ of, path, value }) => {
  const statement = parseStatement(dumps(changed(given[of], path, value)));
  expect(() => CLAIMS[of](statement)).toThrow(InvalidDocument);
});

test("what is said is read", () => {
  const claim = evaluationClaim(parseStatement(dumps(given.statement)));
  expect(claim.metrics[0]).toEqual({ name: "acc", value: "0.2504", standardError: "0.0043" });
  expect(withdrawalClaim(parseStatement(dumps(given.withdrawal))).reason).toBe("mistaken");
});

test("the files at hand are compared", async () => {
  const trust = await parseTrustRoot(given.trust_root);
  const evidence = await parseEvidence(given.evidence);
  const said = async (files: typeof evidence.manifest.files) =>
    (await examineEvaluation(evidence, groundsOf(trust, required), { files })).steps
      .filter(({ outcome }) => outcome === "failed")
      .map(({ code }) => code);
  expect(await said(evidence.manifest.files)).toEqual([]);
  expect(await said(evidence.manifest.files.slice(1))).toEqual(["files"]);
});
