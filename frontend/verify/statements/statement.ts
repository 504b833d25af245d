// SPDX-License-Identifier: Apache-2.0
/** The in-toto Statement v1 that every claim is carried by, and who may sign which kind. */
import type { Bytes, Json, JsonObject } from "../canonical";
import {
  asMapping,
  dumps,
  items,
  literal,
  loadsCanonical,
  mapping,
  only,
  sha256Hex,
  text,
  within,
} from "../canonical";
import type { Purpose } from "../certificates";
import { InvalidDocument } from "../errors";

const STATEMENT_V1 = "https://in-toto.io/Statement/v1";
export const CHECKPOINT_V1 = "https://assay/checkpoint/v1";
export const CHECKPOINT_V2 = "https://assay/checkpoint/v2";
export const RUN_V1 = "https://assay/run/v1";
export const DATASET_V1 = "https://assay/dataset/v1";
export const CONDUCT_V1 = "https://assay/conduct/v1";
export const ACCEPTANCE_V1 = "https://assay/acceptance/v1";
export const ACCEPTANCE_V2 = "https://assay/acceptance/v2";
export const CONSENT_V1 = "https://assay/consent/v1";
export const TAKEDOWN_V1 = "https://assay/takedown/v1";
export const TAKEDOWN_V2 = "https://assay/takedown/v2";
export const OUTPUT_V1 = "https://assay/output/v1";
export const OUTPUT_V2 = "https://assay/output/v2";
export const BATCH_V1 = "https://assay/output-batch/v1";
export const EVALUATION_V1 = "https://assay/evaluation/v1";
export const WITHDRAWAL_V1 = "https://assay/evaluation-withdrawal/v1";
export const OMS_V1 = "https://model_signing/signature/v1.0";

export const PURPOSE_OF: Readonly<Record<string, Purpose>> = {
  [CHECKPOINT_V1]: "checkpoint",
  [CHECKPOINT_V2]: "checkpoint",
  [RUN_V1]: "node",
  [DATASET_V1]: "checkpoint",
  [CONDUCT_V1]: "conduct",
  [ACCEPTANCE_V1]: "conduct",
  [ACCEPTANCE_V2]: "conduct",
  [TAKEDOWN_V1]: "conduct",
  [TAKEDOWN_V2]: "conduct",
  [OUTPUT_V1]: "output",
  [OUTPUT_V2]: "output",
  [BATCH_V1]: "output",
  [EVALUATION_V1]: "checkpoint",
  [WITHDRAWAL_V1]: "checkpoint",
  [OMS_V1]: "checkpoint",
};

const MAX_SUBJECTS = 2;

export type Subject = { readonly name: string; readonly sha256: string };
export type Statement = {
  readonly subjects: readonly [Subject, ...Subject[]];
  readonly predicateType: string;
  readonly predicate: JsonObject;
};

/** Read a payload, which must be in canonical form. Raises InvalidDocument. */
export function parseStatement(payload: Bytes): Statement {
  const document = asMapping(loadsCanonical(payload), "statement");
  only(document, "_type", "subject", "predicateType", "predicate");
  literal(document, "_type", STATEMENT_V1);
  const [first, ...rest] = items(document, "subject", MAX_SUBJECTS).map(parseSubject);
  if (first === undefined) throw new InvalidDocument("subject", "at least one subject", "none");
  return {
    subjects: [first, ...rest],
    predicateType: text(document, "predicateType"),
    predicate: mapping(document, "predicate"),
  };
}

/** The bytes that `parseStatement` reads. */
export function statementBytes({ subjects, predicateType, predicate }: Statement): Bytes {
  const subject = subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } }));
  return dumps({ _type: STATEMENT_V1, subject, predicateType, predicate });
}

/** The predicate of a statement that must be of one type and have only these fields. */
export function predicateOf(
  statement: Statement,
  predicateType: string,
  ...fields: readonly string[]
): JsonObject {
  if (statement.predicateType !== predicateType) {
    throw new InvalidDocument("predicateType", predicateType, statement.predicateType);
  }
  within("predicate", () => only(statement.predicate, ...fields));
  return statement.predicate;
}

/** Refuse a statement whose subjects do not follow from what it claims. */
export function expectSubjects(statement: Statement, ...expected: readonly Subject[]): void {
  const found = named(statement.subjects);
  if (found !== named(expected)) throw new InvalidDocument("subject", named(expected), found);
}

function named(subjects: readonly Subject[]): string {
  return subjects.map(({ name, sha256 }) => `${JSON.stringify(name)} sha256:${sha256}`).join(", ");
}

function parseSubject(value: Json): Subject {
  return within("subject", () => {
    const subject = asMapping(value, "subject");
    only(subject, "name", "digest");
    const digest = mapping(subject, "digest");
    only(digest, "sha256");
    return { name: text(subject, "name"), sha256: sha256Hex(digest, "sha256") };
  });
}
