// SPDX-License-Identifier: Apache-2.0
/** Judges a case: which examination it takes, and what came of it. */
import { type Verdict, verdictOf } from "../../verify/commands/verdict";
import type { Evidence } from "../../verify/evidence";
import type { OutputClaim } from "../../verify/statements/output";
import { type Examination, examineCheckpoint, examineOutput } from "../../verify/verify/artifacts";
import { examineEvaluation } from "../../verify/verify/evaluations";
import type { Content } from "../../verify/verify/report";
import { groundsOf } from "../../verify/verify/requirements";
import type { Case } from "./case";
import { credentialsOf, type Found } from "./credentials";
import { manifestFiles } from "./finding";
import { type Trust, withLists } from "./trust";

/** A case with what was found; without evidence there is nothing to be found. */
export type Judged = Case & {
  readonly trust: Trust;
  readonly judgement: Judgement | null;
  /** What came of the C2PA manifest in the one file at hand; null where there is none. */
  readonly credentials: Found | null;
};
export type Judgement = {
  readonly evidence: Evidence;
  readonly examination: Examination;
  readonly verdict: Verdict;
};

export async function judged(of: Case, trust: Trust, asOf: Date): Promise<Judged> {
  if (of.proof === null) {
    return { ...of, trust, judgement: null, credentials: await manifestOf(of, trust, null) };
  }
  const evidence = withLists(of.proof.evidence, trust);
  const examination = await examine(of, evidence, trust, asOf);
  const verdict = verdictOf(examination, evidence, trust.root);
  const claim = examination.parts.output?.claim.value ?? null;
  const credentials = claim === null ? null : await manifestOf(of, trust, claim);
  return { ...of, trust, judgement: { evidence, examination, verdict }, credentials };
}

/** Of a checkpoint's files none is asked for; of media each is a case of its own. */
async function manifestOf(
  { items: [item, ...more], folder }: Case,
  { root }: Trust,
  claim: OutputClaim | null,
): Promise<Found | null> {
  if (item?.file === undefined || more.length > 0 || folder !== null) return null;
  return credentialsOf(item.file, root, claim);
}

function examine(
  { items, folder }: Case,
  evidence: Evidence,
  { root }: Trust,
  asOf: Date,
): Promise<Examination> {
  const grounds = groundsOf(root, { asOf });
  const { output, evaluation } = evidence.bundles;
  if (output !== undefined) {
    const content: Content | null = items[0]?.content ?? null;
    return examineOutput(evidence, grounds, content);
  }
  const whole = folder === null ? null : { files: manifestFiles(items) };
  if (evaluation !== undefined) return examineEvaluation(evidence, grounds, whole);
  const some = items.map(({ name, content }) => ({ name, sha256: content.sha256 }));
  return examineCheckpoint(evidence, grounds, whole ?? (some.length > 0 ? some : null));
}
