// SPDX-License-Identifier: Apache-2.0
/** Judges a case: which examination it takes, and what came of it. */
import { type Verdict, verdictOf } from "../../verify/commands/verdict";
import type { Evidence } from "../../verify/evidence";
import { type Examination, examineCheckpoint, examineOutput } from "../../verify/verify/artifacts";
import { examineEvaluation } from "../../verify/verify/evaluations";
import type { Content } from "../../verify/verify/report";
import type { Case } from "./case";
import { manifestFiles } from "./finding";
import { type Trust, withLists } from "./trust";

/** A case with what was found; without evidence there is nothing to be found. */
export type Judged = Case & {
  readonly trust: Trust;
  readonly judgement: Judgement | null;
};
export type Judgement = {
  readonly evidence: Evidence;
  readonly examination: Examination;
  readonly verdict: Verdict;
};

export async function judged(of: Case, trust: Trust, asOf: Date): Promise<Judged> {
  if (of.proof === null) return { ...of, trust, judgement: null };
  const evidence = withLists(of.proof.evidence, trust);
  const examination = await examine(of, evidence, trust, asOf);
  const verdict = verdictOf(examination, evidence, trust.root);
  return { ...of, trust, judgement: { evidence, examination, verdict } };
}

function examine(
  { items, folder }: Case,
  evidence: Evidence,
  { root }: Trust,
  asOf: Date,
): Promise<Examination> {
  const required = { asOf };
  const { output, evaluation } = evidence.bundles;
  if (output !== undefined) {
    const content: Content | null = items[0]?.content ?? null;
    return examineOutput(evidence, root, required, content);
  }
  const whole = folder === null ? null : { files: manifestFiles(items) };
  if (evaluation !== undefined) return examineEvaluation(evidence, root, required, whole);
  const some = items.map(({ name, content }) => ({ name, sha256: content.sha256 }));
  return examineCheckpoint(evidence, root, required, whole ?? (some.length > 0 ? some : null));
}
