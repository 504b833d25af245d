// SPDX-License-Identifier: Apache-2.0
/** The claim that a node made a checkpoint in a run; the node signs it itself. */
import type { JsonObject } from "../canonical";
import { instant, integer, mapping, nullable, only, text, within } from "../canonical";
import type { ConductReference } from "./references";
import { conductReference, decimal, reference } from "./references";
import type { Statement } from "./statement";
import { expectSubjects, predicateOf, RUN_V1 } from "./statement";

const FIELDS = [
  "run",
  "node",
  "step",
  "recipe",
  "dataset",
  "conduct",
  "parent",
  "bytes_seen",
  "losses",
  "software",
  "hardware",
  "started_at",
  "finished_at",
] as const;

export type RunClaim = {
  readonly manifestSha256: string;
  readonly run: string;
  readonly node: string;
  readonly step: number;
  readonly recipe: JsonObject;
  readonly datasetSha256: string;
  readonly conduct: ConductReference;
  /** The checkpoint that it continued from. */
  readonly parentSha256: string | null;
  readonly bytesSeen: number;
  /** Nats per byte, in decimal. */
  readonly trainLoss: string;
  readonly validationLoss: string;
  readonly software: JsonObject;
  readonly hardware: JsonObject;
  readonly startedAt: Date;
  readonly finishedAt: Date;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function runClaim(statement: Statement): RunClaim {
  const predicate = predicateOf(statement, RUN_V1, ...FIELDS);
  const losses = mapping(predicate, "losses");
  const { train, validation } = within("losses", () => {
    only(losses, "train", "validation");
    return { train: decimal(losses, "train"), validation: decimal(losses, "validation") };
  });
  const manifestSha256 = statement.subjects[0].sha256;
  expectSubjects(statement, { name: "checkpoint", sha256: manifestSha256 });
  return {
    manifestSha256,
    run: text(predicate, "run"),
    node: text(predicate, "node"),
    step: integer(predicate, "step"),
    recipe: mapping(predicate, "recipe"),
    datasetSha256: reference(predicate, "dataset"),
    conduct: conductReference(predicate, "conduct"),
    parentSha256: nullable(predicate, "parent", reference),
    bytesSeen: integer(predicate, "bytes_seen"),
    trainLoss: train,
    validationLoss: validation,
    software: mapping(predicate, "software"),
    hardware: mapping(predicate, "hardware"),
    startedAt: instant(predicate, "started_at"),
    finishedAt: instant(predicate, "finished_at"),
  };
}
