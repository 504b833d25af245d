// SPDX-License-Identifier: Apache-2.0
/**
 * A checkpoint and what it stands on: each part examined, the files compared, then the links.
 *
 * Which artifact this is for, and what else there is to compare it with, is for others to know.
 */
import { asId, sha256 } from "../digests";
import type { Evidence } from "../evidence";
import type { Manifest, SomeFile } from "../manifest";
import type { ModelSignature } from "../oms";
import type { CheckpointClaim } from "../statements/checkpoint";
import type { ConductClaim } from "../statements/conduct";
import type { DatasetClaim } from "../statements/dataset";
import type { RunClaim } from "../statements/run";
import type { TakedownClaim } from "../statements/takedown";
import { CHECKPOINT, CONDUCT, DATASET, MODEL, RUN, TAKEDOWN } from "./kinds";
import * as links from "./links";
import type { Examined } from "./parts";
import { examine, statementSha256 } from "./parts";
import type { Match, Report } from "./report";
import type { Basis } from "./requirements";

/** The parts that every artifact has below it, examined each for itself. */
export type Below = {
  readonly checkpoint: Examined<CheckpointClaim>;
  readonly run: Examined<RunClaim> | null;
  readonly dataset: Examined<DatasetClaim> | null;
  readonly conduct: Examined<ConductClaim>;
  readonly takedown: Examined<TakedownClaim> | null;
  readonly model: Examined<ModelSignature> | null;
};

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

/** Compare the files at hand with those that were signed: all of a folder's, or single ones. */
export async function compareFiles(
  report: Report,
  { manifest }: Evidence,
  found: Manifest | readonly SomeFile[] | null,
): Promise<Match> {
  if (found === null) return "not compared";
  const compared =
    "files" in found
      ? await report.check("files", "The files are those that were signed", () =>
          links.files(manifest, found),
        )
      : await report.check("files", "The files at hand are among those that were signed", () =>
          links.someFiles(manifest, found),
        );
  return compared.value === null ? "not compared" : "identical";
}

/** Check that the parts belong together. */
export async function linkBelow(
  report: Report,
  evidence: Evidence,
  basis: Basis,
  below: Below,
): Promise<void> {
  const { claim } = below.checkpoint;
  const conduct = below.conduct.claim;
  const named = "The checkpoint was published by the pinned registry";
  await report.check("checkpoint.registry", named, () =>
    links.checkpointRegistry(claim.get(), basis.trust.registry),
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
  await linkText(report, below, basis);
  await linkTakedown(report, below);
  await linkModel(report, below);
}

/** Where the text that people read is at hand; a text that nothing names is passed over. */
async function linkText(report: Report, { conduct }: Below, { texts }: Basis): Promise<void> {
  for (const text of texts) {
    const digest = await sha256(text);
    if (digest !== conduct.claim.value?.textSha256) continue;
    const title = "The conduct policy's text is the one that people read";
    await report.check("conduct.text", title, () => [
      text,
      `${text.length} bytes, ${asId(digest)}`,
    ]);
    return;
  }
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
