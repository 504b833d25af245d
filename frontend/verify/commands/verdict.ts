// SPDX-License-Identifier: Apache-2.0
/** A verification in one word, which claims no more than its steps established. */
import type { Evidence } from "../evidence";
import type { TrustRoot } from "../trust";
import type { Examination } from "../verify/artifacts";
import type { Match, Step } from "../verify/report";
import { strangerOf } from "./unpinned";

/** From what holds, over what holds with something to be said loudly, to what does not. */
export type Verdict =
  | "verified"
  | "normalised"
  | "excerpt"
  | "taken-down"
  | "withdrawn"
  | "revoked"
  | "stale"
  | "changed"
  | "stranger"
  | "broken";

/** What a step says of content at hand, and nothing of what is signed. */
const OF_CONTENT = new Set(["text-mismatch", "file-mismatch"]);

/** Where all holds: by how the content at hand compares, if there is any. */
const BY_MATCH: Readonly<Record<Match, Verdict>> = {
  identical: "verified",
  "same after normalising": "normalised",
  excerpt: "excerpt",
  "not compared": "verified",
};

/** The verdict on an examination under this root. */
export function verdictOf(
  { steps, parts, match }: Examination,
  evidence: Evidence,
  trust: TrustRoot,
): Verdict {
  const errors = failuresOf(steps).map(({ error }) => error ?? "");
  if (errors.length === 0) {
    if (parts.takedown !== null) return "taken-down";
    if ((parts.withdrawal ?? null) !== null) return "withdrawn";
    return BY_MATCH[match];
  }
  if (strangerOf(evidence, trust) !== null) return "stranger";
  if (errors.every((error) => OF_CONTENT.has(error))) return "changed";
  if (errors.every((error) => error === "certificate-revoked")) return "revoked";
  return errors.every((error) => error === "revocation-unknown") ? "stale" : "broken";
}

export function failuresOf(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ outcome }) => outcome === "failed");
}
