// SPDX-License-Identifier: Apache-2.0
/**
 * The claim that a registry published files as a checkpoint of a project.
 *
 * Version 2 names the tensors in its files besides; of files that have none there is version 1 alone.
 */
import type { JsonObject } from "../canonical";
import { integer, mapping, nullable, only, text, within } from "../canonical";
import type { ConductReference, ListReference } from "./references";
import { conductReference, listReference, owned, reference } from "./references";
import type { Statement } from "./statement";
import { CHECKPOINT_V1, CHECKPOINT_V2, expectSubjects, predicateOf } from "./statement";

const FIELDS = ["registry", "project", "name", "step", "oms", "run", "dataset", "conduct"] as const;

export type RunReference = { readonly id: string; readonly statementSha256: string };
export type CheckpointClaim = {
  readonly manifestSha256: string;
  readonly registry: string;
  /** `owner/project`. */
  readonly project: string;
  readonly name: string;
  /** null for a checkpoint that was not made by a run. */
  readonly step: number | null;
  readonly omsSha256: string;
  readonly run: RunReference | null;
  readonly datasetSha256: string | null;
  readonly conduct: ConductReference;
  /** Of a list of tensors (tensors.ts); null in version 1, which names none. */
  readonly tensors: ListReference | null;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function checkpointClaim(statement: Statement): CheckpointClaim {
  const hasTensors = statement.predicateType === CHECKPOINT_V2;
  const predicate = hasTensors
    ? predicateOf(statement, CHECKPOINT_V2, ...FIELDS, "tensors")
    : predicateOf(statement, CHECKPOINT_V1, ...FIELDS);
  const claim = {
    manifestSha256: statement.subjects[0].sha256,
    registry: text(predicate, "registry"),
    project: owned(predicate, "project"),
    name: text(predicate, "name"),
    step: nullable(predicate, "step", integer),
    omsSha256: reference(predicate, "oms"),
    run: nullable(predicate, "run", runReference),
    datasetSha256: nullable(predicate, "dataset", reference),
    conduct: conductReference(predicate, "conduct"),
    tensors: hasTensors ? listReference(predicate, "tensors") : null,
  };
  const name = `${claim.project}@${claim.name}`;
  expectSubjects(statement, { name, sha256: claim.manifestSha256 });
  return claim;
}

function runReference(from: JsonObject, field: string): RunReference {
  const run = mapping(from, field);
  return within(field, () => {
    only(run, "id", "statement");
    return { id: text(run, "id"), statementSha256: reference(run, "statement") };
  });
}
