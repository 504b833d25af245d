// SPDX-License-Identifier: Apache-2.0
/**
 * Verifying what somebody says a checkpoint achieved: which steps, in which order.
 *
 * 1. The openings, if there are any (`openings`).
 * 2. Every signed part for itself (`parts`): the evaluation, its withdrawal if there is one, and the
 *    checkpoint with what it stands on.
 * 3. The files at hand, if there are any (`files`).
 * 4. The tree heads are of one history (`heads`).
 * 5. The links: `evaluation.checkpoint`, `evaluation.conduct`, `withdrawal.evaluation`, and those of
 *    the checkpoint.
 * 6. The checkpoints that the run continued from, as far as they are at hand (`descent`).
 * 7. The acceptances at hand, of those who signed any of this (`accepted`).
 *
 * The figures themselves nobody verifies here: they are the word of whoever signed.
 */
import type { Evidence } from "../evidence";
import type { Manifest, SomeFile } from "../manifest";
import type { EvaluationClaim } from "../statements/evaluation";
import type { Examination } from "./artifacts";
import type { Below } from "./below";
import { compareFiles, examineBelow, linkBelow } from "./below";
import { headsOf, walkOn } from "./descent";
import { oneHistory } from "./heads";
import { EVALUATION, WITHDRAWAL } from "./kinds";
import * as links from "./links";
import { opening } from "./opening";
import type { Examined } from "./parts";
import { examine, statementSha256 } from "./parts";
import { Report } from "./report";
import type { Grounds } from "./requirements";

/** Take every step for an evaluation. Without files, none are compared. */
export async function examineEvaluation(
  evidence: Evidence,
  grounds: Grounds,
  files: Manifest | readonly SomeFile[] | null = null,
): Promise<Examination> {
  const report = new Report();
  const basis = await opening(report, evidence, grounds);
  const given = evidence.bundles;
  const evaluation = await examine(report, EVALUATION, given.evaluation, basis);
  const isWithdrawn = given.withdrawal !== undefined;
  const withdrawal = isWithdrawn
    ? await examine(report, WITHDRAWAL, given.withdrawal, basis)
    : null;
  const below = await examineBelow(report, evidence, basis);
  const match = await compareFiles(report, evidence, files);
  await oneHistory(report, given, basis.trust, await headsOf(basis));
  await link(report, evaluation, below);
  if (withdrawal !== null) {
    const title = "The withdrawal is of this evaluation, by the same signer";
    await report.check("withdrawal.evaluation", title, async () =>
      links.withdrawalEvaluation(withdrawal.claim.get(), await statementSha256(evaluation), {
        saidBy: evaluation.signer.get(),
        signer: withdrawal.signer.get(),
      }),
    );
  }
  await linkBelow(report, evidence, basis, below);
  const signed = { name: "evaluation", noun: EVALUATION.noun, examined: evaluation } as const;
  const walked = await walkOn(report, below, basis, signed);
  return {
    steps: report.steps,
    parts: { evaluation, withdrawal, ...below },
    match,
    excerpt: null,
    ...walked,
  };
}

async function link(
  report: Report,
  evaluation: Examined<EvaluationClaim>,
  { checkpoint, conduct }: Below,
): Promise<void> {
  await report.check("evaluation.checkpoint", "The evaluation is of this checkpoint", async () =>
    links.evaluationCheckpoint(
      evaluation.claim.get(),
      checkpoint.claim.get(),
      await statementSha256(checkpoint),
    ),
  );
  const title = "The evaluation is under this conduct policy";
  await report.check("evaluation.conduct", title, () =>
    links.conduct(evaluation.claim.get().conduct, conduct.claim.get()),
  );
}
