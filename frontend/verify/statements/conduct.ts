// SPDX-License-Identifier: Apache-2.0
/** The claim that a conduct policy's version came into effect. */
import { instant, text } from "../canonical";
import type { ConductReference } from "./references";
import { conductSubject, reference } from "./references";
import type { Statement } from "./statement";
import { CONDUCT_V1, expectSubjects, predicateOf } from "./statement";

export type ConductClaim = {
  readonly conduct: ConductReference;
  readonly title: string;
  readonly severity: string;
  readonly effectiveAt: Date;
  readonly textSha256: string;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function conductClaim(statement: Statement): ConductClaim {
  const fields = ["id", "version", "title", "severity", "effective_at", "text"];
  const predicate = predicateOf(statement, CONDUCT_V1, ...fields);
  const conduct = {
    id: text(predicate, "id"),
    version: text(predicate, "version"),
    sha256: statement.subjects[0].sha256,
  };
  expectSubjects(statement, conductSubject(conduct));
  return {
    conduct,
    title: text(predicate, "title"),
    severity: text(predicate, "severity"),
    effectiveAt: instant(predicate, "effective_at"),
    textSha256: reference(predicate, "text"),
  };
}
