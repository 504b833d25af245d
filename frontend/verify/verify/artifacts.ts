// SPDX-License-Identifier: Apache-2.0
/**
 * Verifying an output or a checkpoint: which steps, in which order.
 *
 * 1. The openings, if there are any (`openings`): each is of a pseudonym in these certificates.
 * 2. Every signed part for itself, eight steps each (`parts`): the output, the checkpoint, the run,
 *    the dataset, the conduct policy, the takedown, the model signature; a part that nothing names
 *    and that is not there is left out.
 * 3. What is at hand: `text` against the output, `files` against the checkpoint's manifest, and the
 *    `tensors` in them against the list that the checkpoint names, if it names one.
 * 4. The tree heads (`heads`): those that the ledger signed are of one history, of one size one root.
 * 5. The links (`links`) between the parts, and files at hand against the model signature, if both
 *    are there (`model.files`).
 * 6. The checkpoints that the run continued from, as far as they are at hand (`descent`), each by
 *    the steps 1, 2 and 5 of a checkpoint: `base-1.checkpoint.statement` and so on.
 * 7. The acceptances at hand, of those who signed any of this (`accepted`).
 */
import type { Evidence } from "../evidence";
import type { Excerpt } from "../excerpts";
import type { Manifest, SomeFile } from "../manifest";
import type { BatchClaim } from "../statements/batch";
import type { EvaluationClaim, WithdrawalClaim } from "../statements/evaluation";
import type { OutputClaim } from "../statements/output";
import type { TensorList } from "../tensors";
import type { Below } from "./below";
import { compareFiles, examineBelow, linkBelow } from "./below";
import type { Walked } from "./descent";
import { headsOf, walkOn } from "./descent";
import { oneHistory } from "./heads";
import { OUTPUT } from "./kinds";
import * as links from "./links";
import { opening } from "./opening";
import type { Examined } from "./parts";
import { examine, statementSha256 } from "./parts";
import type { Compared, Content, Finding, Match, Step } from "./report";
import { NOT_COMPARED, Report } from "./report";
import type { Basis, Grounds } from "./requirements";

/** Every part that there is to speak of, each with what its own steps established. */
export type Parts = Below & {
  readonly output?: Examined<OutputClaim>;
  /** Of an output of a batch, which was signed with it. */
  readonly batch?: Examined<BatchClaim>;
  readonly evaluation?: Examined<EvaluationClaim>;
  readonly withdrawal?: Examined<WithdrawalClaim> | null;
};

/** Every step of a verification, taken whether or not others failed, and what came of it. */
export type Examination = Walked & {
  readonly steps: readonly Step[];
  readonly parts: Parts;
  /** How the content at hand compares with what was signed. */
  readonly match: Match;
  /** Where the text at hand stands in the one that was signed, if it is a part of it. */
  readonly excerpt: Excerpt | null;
};

/** Take every step for an output. Without content, none is compared. */
export async function examineOutput(
  evidence: Evidence,
  grounds: Grounds,
  content: Content | null,
): Promise<Examination> {
  const report = new Report();
  const basis = await opening(report, evidence, grounds);
  const output = await examine(report, OUTPUT, evidence.bundles.output, basis);
  const below = await examineBelow(report, evidence, basis);
  const compared = await compareContent(report, output.claim, content, evidence, basis);
  await oneHistory(report, evidence.bundles, basis.trust, await headsOf(basis));
  await linkOutput(report, output.claim, below, evidence);
  await linkBelow(report, evidence, basis, below);
  const signed = { name: "output", noun: OUTPUT.noun, examined: output } as const;
  const walked = await walkOn(report, below, basis, signed);
  return { steps: report.steps, parts: { output, ...below }, ...compared, ...walked };
}

/**
 * Take every step for a checkpoint. Without files, none are compared.
 *
 * A manifest is all that a folder holds; a list is of single files, which say nothing of the others.
 */
export async function examineCheckpoint(
  evidence: Evidence,
  grounds: Grounds,
  files: Manifest | readonly SomeFile[] | null,
  tensors: TensorList | null = null,
): Promise<Examination> {
  const report = new Report();
  const basis = await opening(report, evidence, grounds);
  const below = await examineBelow(report, evidence, basis);
  const match = await compareFiles(report, evidence, files);
  if (tensors !== null) {
    await report.check("tensors", "The tensors in the files are those that were signed", () =>
      links.tensors(below.checkpoint.claim.get(), evidence.tensors, tensors),
    );
  }
  await oneHistory(report, evidence.bundles, basis.trust, await headsOf(basis));
  await linkBelow(report, evidence, basis, below);
  const walked = await walkOn(report, below, basis);
  const { model } = below;
  if (model !== null && files !== null && "files" in files) {
    await report.check("model.files", "The files are those of the model signature", () =>
      links.modelFiles(model.claim.get(), files),
    );
  }
  return { steps: report.steps, parts: below, match, excerpt: null, ...walked };
}

/** Compare the content at hand, if there is any, with what an output was signed for. */
export async function compareContent(
  report: Report,
  claim: Finding<OutputClaim>,
  content: Content | null,
  { lines }: Evidence,
  { requirements }: Basis,
): Promise<Compared> {
  if (content === null) return NOT_COMPARED;
  const accepts = requirements.acceptsExcerpt ?? false;
  const compared = await report.check("text", "The content is what was signed", () =>
    links.text(claim.get(), content, lines, accepts),
  );
  return compared.value ?? NOT_COMPARED;
}

/** Check that an output is of the checkpoint at hand, and under its rules; and its lines. */
export async function linkOutput(
  report: Report,
  claim: Finding<OutputClaim>,
  { checkpoint, conduct }: Below,
  { lines }: Evidence,
): Promise<void> {
  await report.check("output.checkpoint", "The output names this checkpoint", async () =>
    links.outputCheckpoint(claim.get(), checkpoint.claim.get(), await statementSha256(checkpoint)),
  );
  await report.check("output.conduct", "The output is under this conduct policy", () =>
    links.conduct(claim.get().conduct, conduct.claim.get()),
  );
  if (lines === null) return;
  await report.check("output.lines", "The lines are those that the output names", () =>
    links.outputLines(claim.get(), lines),
  );
}
