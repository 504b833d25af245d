// SPDX-License-Identifier: Apache-2.0
/** The claim that the registry took a checkpoint down: why, and when. What was signed stays true. */
import { instant, text } from "../canonical";
import { reference } from "./references";
import type { Statement } from "./statement";
import { expectSubjects, predicateOf, TAKEDOWN_V1 } from "./statement";

export type TakedownClaim = {
  readonly checkpointSha256: string;
  /** Others may have published the same files: this says which checkpoint is meant. */
  readonly checkpointStatementSha256: string;
  readonly reason: string;
  readonly takenDownAt: Date;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function takedownClaim(statement: Statement): TakedownClaim {
  const predicate = predicateOf(statement, TAKEDOWN_V1, "statement", "reason", "taken_down_at");
  const [{ sha256 }] = statement.subjects;
  expectSubjects(statement, { name: "checkpoint", sha256 });
  return {
    checkpointSha256: sha256,
    checkpointStatementSha256: reference(predicate, "statement"),
    reason: text(predicate, "reason"),
    takenDownAt: instant(predicate, "taken_down_at"),
  };
}
