// SPDX-License-Identifier: Apache-2.0
/** Acceptances beside what their parties signed, against the vectors that Python is held to. */
import { expect, test } from "vitest";
import { conductOf, isWritten, parseAcceptance } from "../verify/acceptance";
import type { Json, JsonObject } from "../verify/canonical";
import { parseEvidence } from "../verify/evidence";
import { parseProof } from "../verify/tlog";
import { parseTrustRoot } from "../verify/trust";
import { examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { examineBatched } from "../verify/verify/batches";
import { examineEvaluation } from "../verify/verify/evaluations";
import { groundsOf } from "../verify/verify/requirements";
import { vectors } from "./vectors";

type Showing = {
  readonly name: string;
  readonly of: string;
  readonly acceptances?: readonly string[];
  readonly bases?: readonly string[];
  readonly count?: readonly (readonly string[])[];
  readonly failed?: readonly string[];
  readonly error?: string;
  readonly said: readonly (readonly [code: string, title: string, detail: string])[];
};
type Vectors = {
  readonly trust_root: Json;
  readonly as_of: string;
  readonly proof: string;
  readonly evidence: Readonly<Record<string, Json>>;
  readonly acceptances: Readonly<Record<string, Json>>;
  readonly showings: readonly Showing[];
  readonly refused: readonly {
    readonly why: string;
    readonly says: string;
    readonly acceptance: Json;
  }[];
};

const given = vectors<Vectors>("acceptances");
const evidenceOf = (name: string) => parseEvidence(given.evidence[name] ?? null);
const shown = async (name: string) => parseAcceptance(given.acceptances[name] ?? null);

async function examined({ of, acceptances = [], bases = [] }: Showing) {
  const evidence = await evidenceOf(of);
  const trust = await parseTrustRoot(given.trust_root);
  const beside = {
    acceptances: await Promise.all(acceptances.map(shown)),
    bases: await Promise.all(bases.map(evidenceOf)),
  };
  const grounds = groundsOf(trust, { asOf: new Date(given.as_of) }, beside);
  const { output, batch, evaluation } = evidence.bundles;
  if (output !== undefined) return examineOutput(evidence, grounds, null);
  if (evaluation !== undefined) return examineEvaluation(evidence, grounds);
  if (batch === undefined) return examineCheckpoint(evidence, grounds, null);
  const proof = parseProof(new TextEncoder().encode(given.proof));
  return examineBatched(evidence, proof, grounds, null);
}

test.each(given.showings)("$name", async (showing) => {
  const { steps, acceptances } = await examined(showing);
  const failures = steps.filter(({ outcome }) => outcome === "failed");
  expect(failures.map(({ code }) => code)).toEqual(showing.failed ?? []);
  expect(failures[0]?.error ?? undefined).toBe(showing.error);
  const said = steps.filter(({ code }) => code.includes("acceptance-"));
  expect(
    said.map(({ code, title, detail, outcome }) => [
      code,
      title,
      outcome === "passed" ? detail : "",
    ]),
  ).toEqual(showing.said);
  if (failures.length > 0) return;
  expect(acceptances.map(({ of }) => of)).toEqual(showing.count ?? []);
});

test.each(given.refused)("$why is refused", async ({ says, acceptance }) => {
  await expect(parseAcceptance(acceptance)).rejects.toThrow(says);
});

test("what may be left out is left out where it says nothing", () => {
  const document = given.acceptances.alice as JsonObject;
  expect(isWritten(document)).toBe(true);
  expect(isWritten({ ...document, revocation_lists: [] })).toBe(false);
  expect(isWritten({ ...document, witnesses: [] })).toBe(false);
});

test("which version was accepted says the statement, if it is one", async () => {
  expect(conductOf(await shown("alice"))).toMatch(/^[0-9a-f]{64}$/);
  expect(conductOf(await shown("that is no acceptance"))).toBeNull();
});
