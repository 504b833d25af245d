// SPDX-License-Identifier: Apache-2.0
/** What a sanction is for: the clause that was broken, and the digest of what shows it. */
import type { JsonObject } from "../canonical";
import { mapping, only, text, within } from "../canonical";
import type { ConductReference } from "./references";
import { conductReference, reference } from "./references";

export type Breach = {
  readonly conduct: ConductReference;
  readonly clause: string;
  readonly evidenceSha256: string;
};

/** Read the breach in one field. Raises InvalidDocument. */
export function breachOf(from: JsonObject, field: string): Breach {
  const inner = mapping(from, field);
  return within(field, () => {
    only(inner, "conduct", "clause", "evidence");
    return {
      conduct: conductReference(inner, "conduct"),
      clause: text(inner, "clause"),
      evidenceSha256: reference(inner, "evidence"),
    };
  });
}

/** In words, after what it was for. */
export function inBreach(breach: Breach | null): string {
  if (breach === null) return "";
  return `, for clause ${breach.clause} of ${breach.conduct.id} ${breach.conduct.version}`;
}
