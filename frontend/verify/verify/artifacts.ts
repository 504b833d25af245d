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
 */
import type { Evidence } from "../evidence";
import type { Manifest, SomeFile } from "../manifest";
import type { ModelSignature } from "../oms";
import type { CheckpointClaim } from "../statements/checkpoint";
import type { ConductClaim } from "../statements/conduct";
import type { DatasetClaim } from "../statements/dataset";
import type { EvaluationClaim, WithdrawalClaim } from "../statements/evaluation";
import type { OutputClaim } from "../statements/output";
import type { RunClaim } from "../statements/run";
import type { TakedownClaim } from "../statements/takedown";
import type { TensorList } from "../tensors";
import type { TrustRoot } from "../trust";
import { oneHistory } from "./heads";
import { CHECKPOINT, CONDUCT, DATASET, MODEL, OUTPUT, RUN, TAKEDOWN } from "./kinds";
import * as links from "./links";
import { opening } from "./opening";
import type { Examined } from "./parts";
import { examine, statementSha256 } from "./parts";
import type { Content, Match, Step } from "./report";
import { Report } from "./report";
import type { Basis, Requirements } from "./requirements";

/** The parts that every artifact has below it, examined each for itself. */
export type Below = {
  readonly checkpoint: Examined<CheckpointClaim>;
  readonly run: Examined<RunClaim> | null;
  readonly dataset: Examined<DatasetClaim> | null;
  readonly conduct: Examined<ConductClaim>;
  readonly takedown: Examined<TakedownClaim> | null;
  readonly model: Examined<ModelSignature> | null;
};

/** Every part that there is to speak of, each with what its own steps established. */
export type Parts = Below & {
  readonly output?: Examined<OutputClaim>;
  readonly evaluation?: Examined<EvaluationClaim>;
  readonly withdrawal?: Examined<WithdrawalClaim> | null;
};

/** Every step of a verification, taken whether or not others failed, and what came of it. */
export type Examination = {
  readonly steps: readonly Step[];
  readonly parts: Parts;
  /** How the content at hand compares with what was signed. */
  readonly match: Match;
};

/** Take every step for an output. Without content, none is compared. */
export async function examineOutput(
  evidence: Evidence,
  trust: TrustRoot,
  requirements: Requirements,
  content: Content | null,
): Promise<Examination> {
  const report = new Report();
  const basis = await opening(report, evidence, trust, requirements);
  const output = await examine(report, OUTPUT, evidence.bundles.output, basis);
  const below = await examineBelow(report, evidence, basis);
  let match: Match = "not compared";
  if (content !== null) {
    const compared = await report.check("text", "The content is what was signed", () =>
      links.text(output.claim.get(), content),
    );
    match = compared.value ?? match;
  }
  await oneHistory(report, evidence.bundles, trust);
  await linkOutput(report, output, below);
  await linkBelow(report, evidence, trust, below);
  return { steps: report.steps, parts: { output, ...below }, match };
}

/**
 * Take every step for a checkpoint. Without files, none are compared.
 *
 * A manifest is all that a folder holds; a list is of single files, which say nothing of the others.
 */
export async function examineCheckpoint(
  evidence: Evidence,
  trust: TrustRoot,
  requirements: Requirements,
  files: Manifest | readonly SomeFile[] | null,
  tensors: TensorList | null = null,
): Promise<Examination> {
  const report = new Report();
  const basis = await opening(report, evidence, trust, requirements);
  const below = await examineBelow(report, evidence, basis);
  const match = files === null ? "not compared" : await compare(report, evidence.manifest, files);
  if (tensors !== null) {
    await report.check("tensors", "The tensors in the files are those that were signed", () =>
      links.tensors(below.checkpoint.claim.get(), evidence.tensors, tensors),
    );
  }
  await oneHistory(report, evidence.bundles, trust);
  await linkBelow(report, evidence, trust, below);
  const { model } = below;
  if (model !== null && files !== null && "files" in files) {
    await report.check("model.files", "The files are those of the model signature", () =>
      links.modelFiles(model.claim.get(), files),
    );
  }
  return { steps: report.steps, parts: below, match };
}

/** Compare the files at hand with those that were signed: all of a folder's, or single ones. */
export async function compare(
  report: Report,
  signed: Manifest,
  found: Manifest | readonly SomeFile[],
): Promise<Match> {
  const compared =
    "files" in found
      ? await report.check("files", "The files are those that were signed", () =>
          links.files(signed, found),
        )
      : await report.check("files", "The files at hand are among those that were signed", () =>
          links.someFiles(signed, found),
        );
  return compared.value === null ? "not compared" : "identical";
}

/** Examine each part that is there, or that another one names. */
export async function examineBelow(
  report: Report,
  evidence: Evidence,
  basis: Basis,
): Promise<Below> {
  const { bundles } = evidence;
  const checkpoint = await examine(report, CHECKPOINT, bundles.checkpoint, basis);
  const claim = checkpoint.claim.value;
  const hasRun = bundles.run !== undefined || (claim?.run ?? null) !== null;
  const run = hasRun ? await examine(report, RUN, bundles.run, basis) : null;
  const isNamed = (claim?.datasetSha256 ?? null) !== null;
  const isTrainedOn = (run?.claim.value ?? null) !== null; // every run names its dataset
  const hasDataset = bundles.dataset !== undefined || isNamed || isTrainedOn;
  const dataset = hasDataset ? await examine(report, DATASET, bundles.dataset, basis) : null;
  const conduct = await examine(report, CONDUCT, bundles.conduct, basis);
  const isDown = bundles.takedown !== undefined;
  const takedown = isDown ? await examine(report, TAKEDOWN, bundles.takedown, basis) : null;
  const hasModel = bundles.model !== undefined;
  const model = hasModel ? await examine(report, MODEL, bundles.model, basis) : null;
  return { checkpoint, run, dataset, conduct, takedown, model };
}

async function linkOutput(
  report: Report,
  output: Examined<OutputClaim>,
  { checkpoint, conduct }: Below,
): Promise<void> {
  await report.check("output.checkpoint", "The output names this checkpoint", async () =>
    links.outputCheckpoint(
      output.claim.get(),
      checkpoint.claim.get(),
      await statementSha256(checkpoint),
    ),
  );
  await report.check("output.conduct", "The output is under this conduct policy", () =>
    links.conduct(output.claim.get().conduct, conduct.claim.get()),
  );
}

/** Check that the parts belong together. */
export async function linkBelow(
  report: Report,
  evidence: Evidence,
  trust: TrustRoot,
  below: Below,
): Promise<void> {
  const { claim } = below.checkpoint;
  const conduct = below.conduct.claim;
  const named = "The checkpoint was published by the pinned registry";
  await report.check("checkpoint.registry", named, () =>
    links.checkpointRegistry(claim.get(), trust.registry),
  );
  const identified = "The checkpoint's id is the digest of its manifest";
  await report.check("checkpoint.manifest", identified, () =>
    links.checkpointManifest(claim.get(), evidence.manifest),
  );
  const signed = "The checkpoint names the root of its model signature";
  await report.check("checkpoint.oms", signed, () =>
    links.checkpointOms(claim.get(), evidence.manifest),
  );
  const { tensors } = evidence;
  if (tensors !== null) {
    await report.check("checkpoint.tensors", "The checkpoint names this list of tensors", () =>
      links.checkpointTensors(claim.get(), tensors),
    );
  }
  await linkRun(report, below);
  await linkDataset(report, below);
  await report.check("checkpoint.conduct", "The checkpoint is under this conduct policy", () =>
    links.conduct(claim.get().conduct, conduct.get()),
  );
  await report.check("conduct.policy", "The conduct policy is this document", () =>
    links.policy(conduct.get(), evidence.policy),
  );
  await linkTakedown(report, below);
  await linkModel(report, below);
}

async function linkTakedown(report: Report, { checkpoint, takedown }: Below): Promise<void> {
  if (takedown === null) return;
  await report.check("takedown.checkpoint", "What was taken down is this checkpoint", async () =>
    links.takedownCheckpoint(
      takedown.claim.get(),
      checkpoint.claim.get(),
      await statementSha256(checkpoint),
    ),
  );
}

async function linkModel(report: Report, { checkpoint, model }: Below): Promise<void> {
  if (model === null) return;
  const title = "The model signature is the one that the checkpoint names, by the same signer";
  await report.check("model.checkpoint", title, () =>
    links.modelCheckpoint(checkpoint.claim.get(), model.claim.get(), {
      owner: checkpoint.signer.get(),
      signer: model.signer.get(),
    }),
  );
}

async function linkRun(report: Report, { checkpoint, run, conduct }: Below): Promise<void> {
  if (run === null) return;
  const title = "The checkpoint names this run, and the run this checkpoint";
  await report.check("checkpoint.run", title, async () =>
    links.checkpointRun(checkpoint.claim.get(), run.claim.get(), await statementSha256(run)),
  );
  await report.check("run.conduct", "The run is under this conduct policy", () =>
    links.conduct(run.claim.get().conduct, conduct.claim.get()),
  );
}

async function linkDataset(report: Report, { checkpoint, run, dataset }: Below): Promise<void> {
  if (dataset === null) return;
  await report.check("checkpoint.dataset", "The checkpoint names this dataset", () =>
    links.dataset(checkpoint.claim.get().datasetSha256, dataset.claim.get()),
  );
  if (run === null) return;
  await report.check("run.dataset", "The run was trained on this dataset", () =>
    links.dataset(run.claim.get().datasetSha256, dataset.claim.get()),
  );
}
