// SPDX-License-Identifier: Apache-2.0
/** The claim that the registry took a checkpoint down: why, and when. What was signed stays true. */
import { instant, text } from "../canonical";
import { reference } from "./references";
import type { Breach } from "./sanction";
import { breachOf } from "./sanction";
import type { Statement } from "./statement";
import { expectSubjects, predicateOf, TAKEDOWN_V1, TAKEDOWN_V2 } from "./statement";

export type TakedownClaim = {
  readonly checkpointSha256: string;
  /** Others may have published the same files: this says which checkpoint is meant. */
  readonly checkpointStatementSha256: string;
  readonly reason: string;
  readonly takenDownAt: Date;
  /** The clause and the evidence, where it was for a breach of conduct (version 2). */
  readonly breach: Breach | null;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function takedownClaim(statement: Statement): TakedownClaim {
  const fields = ["statement", "reason", "taken_down_at"];
  const isBreach = statement.predicateType === TAKEDOWN_V2;
  const predicate = isBreach
    ? predicateOf(statement, TAKEDOWN_V2, ...fields, "breach")
    : predicateOf(statement, TAKEDOWN_V1, ...fields);
  const [{ sha256 }] = statement.subjects;
  expectSubjects(statement, { name: "checkpoint", sha256 });
  return {
    checkpointSha256: sha256,
    checkpointStatementSha256: reference(predicate, "statement"),
    reason: text(predicate, "reason"),
    takenDownAt: instant(predicate, "taken_down_at"),
    breach: isBreach ? breachOf(predicate, "breach") : null,
  };
}
