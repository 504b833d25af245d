// SPDX-License-Identifier: Apache-2.0
/**
 * The claims that a checkpoint was evaluated, with what came of it; and that this is withdrawn.
 *
 * Anybody may say how a checkpoint did; a verifier learns who said it.
 */
import type { Json, JsonObject } from "../canonical";
import {
  asMapping,
  instant,
  items,
  mapping,
  nullable,
  only,
  sha256Hex,
  text,
  within,
} from "../canonical";
import { InvalidDocument } from "../errors";
import type { ConductReference } from "./references";
import { conductReference, decimal, reference } from "./references";
import type { Statement } from "./statement";
import { EVALUATION_V1, expectSubjects, predicateOf, WITHDRAWAL_V1 } from "./statement";

const MAX_METRICS = 64;
/** One line of at most 200 characters that moves no cursor and turns no text around. */
const NAME = /^[^\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]{1,200}$/u;
const FIELDS = [
  "evaluation",
  "statement",
  "conduct",
  "task",
  "dataset",
  "harness",
  "config",
  "metrics",
  "evaluated_at",
] as const;

/** What was measured; exact decimals, as they were handed in. */
export type Metric = {
  readonly name: string;
  readonly value: string;
  readonly standardError: string | null;
};
export type Withdrawn = "mistaken" | "superseded";
export type EvaluationClaim = {
  readonly checkpointSha256: string;
  readonly evaluation: string;
  readonly checkpointStatementSha256: string;
  readonly conduct: ConductReference;
  readonly task: string;
  readonly dataset: { readonly name: string; readonly sha256: string };
  readonly harness: {
    readonly name: string;
    readonly version: string;
    readonly commit: string | null;
  };
  readonly configSha256: string | null;
  readonly metrics: readonly [Metric, ...Metric[]];
  readonly evaluatedAt: Date;
};
export type WithdrawalClaim = {
  /** Of the evaluation's statement. */
  readonly evaluationSha256: string;
  readonly reason: Withdrawn;
};

/** Read the claim out of a statement. Raises InvalidDocument. */
export function evaluationClaim(statement: Statement): EvaluationClaim {
  const predicate = predicateOf(statement, EVALUATION_V1, ...FIELDS);
  const checkpointSha256 = statement.subjects[0].sha256;
  expectSubjects(statement, { name: "checkpoint", sha256: checkpointSha256 });
  return {
    checkpointSha256,
    evaluation: text(predicate, "evaluation"),
    checkpointStatementSha256: reference(predicate, "statement"),
    conduct: conductReference(predicate, "conduct"),
    task: oneLine(predicate, "task"),
    dataset: dataset(predicate),
    harness: harness(predicate),
    configSha256: nullable(predicate, "config", reference),
    metrics: metrics(predicate),
    evaluatedAt: instant(predicate, "evaluated_at"),
  };
}

/** Read the claim out of a statement. Raises InvalidDocument. */
export function withdrawalClaim(statement: Statement): WithdrawalClaim {
  const predicate = predicateOf(statement, WITHDRAWAL_V1, "reason");
  const evaluationSha256 = statement.subjects[0].sha256;
  expectSubjects(statement, { name: "evaluation", sha256: evaluationSha256 });
  const reason = text(predicate, "reason");
  if (reason === "mistaken" || reason === "superseded") return { evaluationSha256, reason };
  throw new InvalidDocument("reason", "mistaken or superseded", reason);
}

function dataset(from: JsonObject): EvaluationClaim["dataset"] {
  const inner = mapping(from, "dataset");
  return within("dataset", () => {
    only(inner, "name", "sha256");
    return { name: oneLine(inner, "name"), sha256: sha256Hex(inner, "sha256") };
  });
}

function harness(from: JsonObject): EvaluationClaim["harness"] {
  const inner = mapping(from, "harness");
  return within("harness", () => {
    only(inner, "name", "version", "commit");
    return {
      name: oneLine(inner, "name"),
      version: oneLine(inner, "version"),
      commit: nullable(inner, "commit", commit),
    };
  });
}

function metrics(from: JsonObject): EvaluationClaim["metrics"] {
  const [first, ...rest] = items(from, "metrics", MAX_METRICS).map(metric);
  const isSorted = rest.every(({ name }, index) => isBefore([first, ...rest][index]?.name, name));
  if (first === undefined || !isSorted) {
    const expected = `1 to ${MAX_METRICS}, sorted by name and each once`;
    throw new InvalidDocument("metrics", expected, first === undefined ? "none" : "another order");
  }
  return [first, ...rest];
}

/** By code point, as Python sorts; JavaScript would compare UTF-16 code units. */
function isBefore(one: string | undefined, other: string): boolean {
  const left = Array.from(one ?? "", (each) => each.codePointAt(0) ?? 0);
  const right = Array.from(other, (each) => each.codePointAt(0) ?? 0);
  const place = left.findIndex((each, index) => each !== right[index]);
  if (place < 0) return left.length < right.length;
  return (left[place] ?? 0) < (right[place] ?? -1);
}

function metric(value: Json): Metric {
  return within("metrics", () => {
    const from = asMapping(value, "metric");
    only(from, "name", "value", "standard_error");
    return {
      name: oneLine(from, "name"),
      value: decimal(from, "value"),
      standardError: nullable(from, "standard_error", decimal),
    };
  });
}

function oneLine(from: JsonObject, field: string): string {
  const value = text(from, field);
  if (NAME.test(value)) return value;
  throw new InvalidDocument(field, "one line of at most 200 characters", JSON.stringify(value));
}

function commit(from: JsonObject, field: string): string {
  const value = text(from, field);
  if (/^[0-9a-f]{7,64}$/.test(value)) return value;
  throw new InvalidDocument(field, "7 to 64 hexadecimal digits", JSON.stringify(value));
}
