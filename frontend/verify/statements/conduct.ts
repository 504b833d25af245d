// SPDX-License-Identifier: Apache-2.0
/** The claims that a conduct policy's version came into effect, and that somebody accepted it. */
import { instant, text } from "../canonical";
import type { ConductReference } from "./references";
import { commitment, conductReference, conductSubject, reference } from "./references";
import type { Statement } from "./statement";
import { ACCEPTANCE_V1, ACCEPTANCE_V2, CONDUCT_V1, expectSubjects, predicateOf } from "./statement";

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

/** Somebody, known to whoever holds the salt, accepted a conduct policy's version. */
export type AcceptanceClaim = {
  readonly conduct: ConductReference;
  readonly commitment: string;
  readonly acceptedAt: Date;
  /** The commitment to what the party's own key signed; null in version 1. */
  readonly consent: string | null;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function acceptanceClaim(statement: Statement): AcceptanceClaim {
  const hasConsent = statement.predicateType === ACCEPTANCE_V2;
  const fields = ["conduct", "party", "accepted_at"];
  const predicate = hasConsent
    ? predicateOf(statement, ACCEPTANCE_V2, ...fields, "consent")
    : predicateOf(statement, ACCEPTANCE_V1, ...fields);
  const conduct = conductReference(predicate, "conduct");
  expectSubjects(statement, conductSubject(conduct));
  return {
    conduct,
    commitment: commitment(predicate, "party"),
    acceptedAt: instant(predicate, "accepted_at"),
    consent: hasConsent ? commitment(predicate, "consent") : null,
  };
}
