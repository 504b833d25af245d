// SPDX-License-Identifier: Apache-2.0
/**
 * The claim that a text or other content was generated from a checkpoint.
 *
 * Version 2 names the lines of the text besides; of what is no text of ours there is version 1 alone.
 */
import type { JsonObject } from "../canonical";
import { mapping, nullable, only, sha256Hex, text, within } from "../canonical";
import { InvalidDocument } from "../errors";
import type { ConductReference, ListReference } from "./references";
import { commitment, conductReference, listReference, reference } from "./references";
import type { Statement } from "./statement";
import { expectSubjects, OUTPUT_V1, OUTPUT_V2, predicateOf } from "./statement";

const FIELDS = [
  "output",
  "claim",
  "checkpoint",
  "conduct",
  "media_type",
  "request",
  "generation",
] as const;
const TEXTS = "text/";
const MAX_MARK_CHARACTERS = 100;

/** Who saw the content come out of the checkpoint. */
export type Origin = "server-generated" | "caller-asserted";
/** The watermark that a text or a picture was made with (docs/spec/watermark.md): its scheme, its key's id. */
export type Mark = { readonly scheme: string; readonly key: string };
export type OutputClaim = {
  /** Of the very bytes. */
  readonly exactSha256: string;
  /** Of the UTF-8 bytes of the normalised text; always there for a server-generated text. */
  readonly normalisedSha256: string | null;
  readonly output: string;
  readonly claim: Origin;
  readonly checkpointSha256: string;
  readonly checkpointStatementSha256: string;
  readonly conduct: ConductReference;
  readonly mediaType: string;
  readonly requestCommitment: string | null;
  readonly generation: JsonObject | null;
  /** Null too for what was said before there were marks, which says nothing of one. */
  readonly mark: Mark | null;
  /** Of a list of lines (excerpts.ts); null in version 1, which names none. */
  readonly lines: ListReference | null;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function outputClaim(statement: Statement): OutputClaim {
  const hasLines = statement.predicateType === OUTPUT_V2;
  const predicate = hasLines
    ? predicateOf(statement, OUTPUT_V2, ...FIELDS, "lines")
    : predicateOf(statement, OUTPUT_V1, ...FIELDS);
  const checkpoint = mapping(predicate, "checkpoint");
  const [exact, normalised] = statement.subjects;
  const claim = {
    exactSha256: exact.sha256,
    normalisedSha256: normalised?.sha256 ?? null,
    output: text(predicate, "output"),
    claim: origin(predicate),
    ...within("checkpoint", () => {
      only(checkpoint, "sha256", "statement");
      return {
        checkpointSha256: sha256Hex(checkpoint, "sha256"),
        checkpointStatementSha256: reference(checkpoint, "statement"),
      };
    }),
    conduct: conductReference(predicate, "conduct"),
    mediaType: text(predicate, "media_type"),
    requestCommitment: nullable(predicate, "request", commitment),
    generation: nullable(predicate, "generation", mapping),
    lines: hasLines ? listReference(predicate, "lines") : null,
  };
  checkSubjects(statement, claim);
  return { ...claim, mark: within("generation", () => markOf(claim.generation)) };
}

function markOf(generation: JsonObject | null): Mark | null {
  if (generation === null || !Object.hasOwn(generation, "mark")) return null;
  const stated = nullable(generation, "mark", mapping);
  if (stated === null) return null;
  return within("mark", () => {
    only(stated, "scheme", "key");
    return {
      scheme: text(stated, "scheme", MAX_MARK_CHARACTERS),
      key: text(stated, "key", MAX_MARK_CHARACTERS),
    };
  });
}

function checkSubjects(statement: Statement, claim: Omit<OutputClaim, "mark">): void {
  const isOurText = claim.claim === "server-generated" && claim.mediaType.startsWith(TEXTS);
  const name = isOurText ? "text" : "content";
  const exact = { name, sha256: claim.exactSha256 };
  if (claim.normalisedSha256 === null) {
    if (isOurText) {
      throw new InvalidDocument("subject", "`text` and `text.normalised`", "`text` alone");
    }
    expectSubjects(statement, exact);
    return;
  }
  expectSubjects(statement, exact, { name: `${name}.normalised`, sha256: claim.normalisedSha256 });
}

function origin(predicate: JsonObject): Origin {
  const value = text(predicate, "claim");
  if (value === "server-generated" || value === "caller-asserted") return value;
  throw new InvalidDocument("claim", "server-generated or caller-asserted", value);
}
