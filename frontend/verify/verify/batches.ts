// SPDX-License-Identifier: Apache-2.0
/**
 * Verifying one output of a batch, by its proof: which steps, in which order.
 *
 * 1. The openings, if there are any (`openings`).
 * 2. Every signed part for itself (`parts`): the batch, and the checkpoint with what it stands on.
 * 3. `output.proof`: the proof leads from the output's own statement to the root that was signed.
 * 4. `output.tree-head`: it leads on, from the batch's entry to a tree that the pinned ledger signed.
 * 5. What is at hand: `text`.
 * 6. The tree heads, the proof's too, are of one history (`heads`).
 * 7. The links: `output.checkpoint`, `output.conduct`, `output.lines` where they are there, which is
 *    always wrong (no output of a batch names any), and those of the checkpoint.
 * 8. The checkpoints that the run continued from, as far as they are at hand (`descent`).
 * 9. The acceptances at hand, of those who signed any of this (`accepted`).
 */
import type { Bundle } from "../bundle";
import { asId } from "../digests";
import { VerificationError } from "../errors";
import type { Evidence } from "../evidence";
import { leafHash, verifyInclusion } from "../merkle";
import type { BatchClaim } from "../statements/batch";
import { findOutput, parsePlaced } from "../statements/batch";
import type { OutputClaim } from "../statements/output";
import type { Proof } from "../tlog";
import type { TreeHead } from "../treehead";
import { verifyTreeHead } from "../treehead";
import type { TrustRoot } from "../trust";
import { compareContent, type Examination, linkOutput } from "./artifacts";
import { examineBelow, linkBelow } from "./below";
import { headsOf, walkOn } from "./descent";
import { oneHistory } from "./heads";
import { BATCH } from "./kinds";
import { opening } from "./opening";
import { examine } from "./parts";
import type { Content, Established } from "./report";
import { Report } from "./report";
import type { Grounds } from "./requirements";

/** Take every step for an output of a batch. Without content, none is compared. */
export async function examineBatched(
  evidence: Evidence,
  proof: Proof,
  grounds: Grounds,
  content: Content | null,
): Promise<Examination> {
  const report = new Report();
  const basis = await opening(report, evidence, grounds);
  const batch = await examine(report, BATCH, evidence.bundles.batch, basis);
  const below = await examineBelow(report, evidence, basis);
  const claim = await report.check("output.proof", "The output is one of the batch", () =>
    found(batch.claim.get(), proof),
  ); // 3
  const title = "The ledger signed the tree that the proof leads to";
  await report.check("output.tree-head", title, () =>
    logged(batch.bundle.get(), proof, basis.trust),
  ); // 4
  const compared = await compareContent(report, claim, content, evidence, basis);
  const heads = [["proof", proof.note] as const, ...(await headsOf(basis))];
  await oneHistory(report, evidence.bundles, basis.trust, heads);
  await linkOutput(report, claim, below, evidence);
  await linkBelow(report, evidence, basis, below);
  const signed = { name: "batch", noun: BATCH.noun, examined: batch } as const;
  const walked = await walkOn(report, below, basis, signed);
  const output = { ...batch, claim }; // whoever signed all of them signed this one
  return { steps: report.steps, parts: { output, batch, ...below }, ...compared, ...walked };
}

async function found(batch: BatchClaim, { extra }: Proof): Promise<Established<OutputClaim>> {
  if (extra === null) {
    const message = "expected the output's place in its batch (`extra`), found none";
    throw new VerificationError("missing-evidence", message);
  }
  const placed = parsePlaced(extra);
  const claim = await findOutput(batch, placed);
  return [claim, `output ${placed.index} of ${batch.count}, ${asId(claim.exactSha256)}`];
}

async function logged(
  batch: Bundle,
  proof: Proof,
  { verifier }: TrustRoot,
): Promise<Established<TreeHead>> {
  const head = await verifyTreeHead(proof.note, verifier);
  if (proof.index !== batch.proof.index) {
    const expected = `expected the batch's entry, ${batch.proof.index}`;
    throw new VerificationError("not-in-ledger", `${expected}, found a proof for ${proof.index}`);
  }
  const leaf = await leafHash(batch.entry);
  const inclusion = { index: proof.index, size: head.size, proof: proof.hashes };
  await verifyInclusion(leaf, inclusion, head.root);
  return [head, `entry ${proof.index} of ${head.size}`];
}
