// SPDX-License-Identifier: Apache-2.0
/** The kinds of statement: what a part of the evidence must claim, and who may claim it. */
import type { Purpose } from "../certificates";
import { asId } from "../digests";
import type { Part } from "../evidence";
import type { ModelSignature } from "../oms";
import { modelSignature } from "../oms";
import { seconds } from "../revocation";
import type { BatchClaim } from "../statements/batch";
import { batchClaim } from "../statements/batch";
import type { CheckpointClaim } from "../statements/checkpoint";
import { checkpointClaim } from "../statements/checkpoint";
import type { AcceptanceClaim, ConductClaim } from "../statements/conduct";
import { acceptanceClaim, conductClaim } from "../statements/conduct";
import type { DatasetClaim } from "../statements/dataset";
import { datasetClaim } from "../statements/dataset";
import type { EvaluationClaim, WithdrawalClaim } from "../statements/evaluation";
import { evaluationClaim, withdrawalClaim } from "../statements/evaluation";
import type { OutputClaim } from "../statements/output";
import { outputClaim } from "../statements/output";
import type { RunClaim } from "../statements/run";
import { runClaim } from "../statements/run";
import { inBreach } from "../statements/sanction";
import type { Statement } from "../statements/statement";
import type { TakedownClaim } from "../statements/takedown";
import { takedownClaim } from "../statements/takedown";
import type { AcceptancePart } from "./report";

/** What a part must claim, who may claim it, and how a person reads it. */
export type Kind<C> = {
  readonly part: Part | AcceptancePart;
  readonly noun: string;
  readonly purpose: Purpose;
  readonly parse: (statement: Statement) => C | Promise<C>;
  readonly inWords: (claim: C) => string;
  /** The URI of whoever may claim it, or with a slash at its end, the URL below which it lies. */
  readonly signer: (claim: C, registry: string) => string;
};

function ownerOf(name: string): string {
  return name.split("/")[0] ?? name;
}

export const OUTPUT: Kind<OutputClaim> = {
  part: "output",
  noun: "output",
  purpose: "output",
  parse: outputClaim,
  inWords: (claim) =>
    `output ${claim.output}, ${claim.claim}, from checkpoint ${asId(claim.checkpointSha256)}`,
  signer: (_, registry) => `${registry}/`,
};

export const BATCH: Kind<BatchClaim> = {
  part: "batch",
  noun: "batch of outputs",
  purpose: "output",
  parse: batchClaim,
  inWords: (claim) =>
    `batch ${claim.batch} of ${claim.count} outputs, ` +
    `from checkpoint ${asId(claim.checkpointSha256)}`,
  signer: (_, registry) => `${registry}/`,
};

export const CHECKPOINT: Kind<CheckpointClaim> = {
  part: "checkpoint",
  noun: "checkpoint",
  purpose: "checkpoint",
  parse: checkpointClaim,
  inWords: (claim) => `${claim.project}@${claim.name}, checkpoint ${asId(claim.manifestSha256)}`,
  signer: (claim, registry) => `${registry}/${ownerOf(claim.project)}`,
};

export const RUN: Kind<RunClaim> = {
  part: "run",
  noun: "run",
  purpose: "node",
  parse: runClaim,
  inWords: (claim) =>
    `run ${claim.run} at step ${claim.step}, validation loss ${claim.validationLoss}`,
  signer: (claim, registry) => `${registry}/nodes/${claim.node}`,
};

export const DATASET: Kind<DatasetClaim> = {
  part: "dataset",
  noun: "dataset",
  purpose: "checkpoint",
  parse: datasetClaim,
  inWords: (claim) =>
    `${claim.title} (${claim.name}), ${claim.files} files, licence ${claim.license}`,
  signer: (claim, registry) => `${registry}/${ownerOf(claim.name)}`,
};

export const CONDUCT: Kind<ConductClaim> = {
  part: "conduct",
  noun: "conduct policy",
  purpose: "conduct",
  parse: conductClaim,
  inWords: (claim) => `${claim.title}, version ${claim.conduct.version}`,
  signer: (_, registry) => `${registry}/conduct`,
};

/** Of acceptances there may be several, each with a number of its own. */
export function acceptance(part: AcceptancePart): Kind<AcceptanceClaim> {
  return {
    part,
    noun: "acceptance",
    purpose: "conduct",
    parse: acceptanceClaim,
    inWords: ({ conduct, consent }) => {
      const own = consent === null ? "" : ", with a key of the party's own";
      return `${conduct.id}, version ${conduct.version}${own}`;
    },
    signer: (_, registry) => `${registry}/conduct`,
  };
}

export const TAKEDOWN: Kind<TakedownClaim> = {
  part: "takedown",
  noun: "takedown",
  purpose: "conduct",
  parse: takedownClaim,
  inWords: ({ checkpointSha256, takenDownAt, breach, reason }) =>
    `${asId(checkpointSha256)}, taken down at ${seconds(takenDownAt)}${inBreach(breach)}: ` +
    reason,
  signer: (_, registry) => `${registry}/authority`,
};

export const EVALUATION: Kind<EvaluationClaim> = {
  part: "evaluation",
  noun: "evaluation",
  purpose: "checkpoint",
  parse: evaluationClaim,
  inWords: ({ task, dataset, metrics: [first], harness }) =>
    `${task} on ${dataset.name}: ${first.name} ${first.value}, ` +
    `by ${harness.name} ${harness.version}`,
  signer: (_, registry) => `${registry}/`,
};

export const WITHDRAWAL: Kind<WithdrawalClaim> = {
  part: "withdrawal",
  noun: "withdrawal",
  purpose: "checkpoint",
  parse: withdrawalClaim,
  inWords: (claim) => `withdrawn as ${claim.reason}`,
  signer: (_, registry) => `${registry}/`, // by the link `withdrawal.evaluation` its signer alone
};

export const MODEL: Kind<ModelSignature> = {
  part: "model",
  noun: "model signature",
  purpose: "checkpoint",
  parse: modelSignature,
  inWords: (claim) => `${claim.name}, ${claim.resources.length} files`,
  signer: (_, registry) => `${registry}/`, // by the link `model.checkpoint` the checkpoint's signer alone
};
