// SPDX-License-Identifier: Apache-2.0
/** What a tree of provenance has links for, from what was said last down to the rules. */
import type { JsonObject } from "../../verify/canonical";
import { type Evidence, PARTS, type Part } from "../../verify/evidence";
import type { Parts } from "../../verify/verify/artifacts";
import type { Examined } from "../../verify/verify/parts";
import type { BasePart } from "../../verify/verify/report";
import type { Judged, Judgement } from "./judging";

/** A model signature is beside the checkpoint's files, and has no link of its own. */
export type Linked = Exclude<Part, "model">;
/** What is said of things is above them. */
export const ORDER: readonly Linked[] = ["takedown", "withdrawal", ...PARTS].filter(
  (part, index, all): part is Linked => part !== "model" && all.indexOf(part) === index,
);

/** One link: of a part, or of a checkpoint that the run continued from. */
export type Branch = {
  readonly name: Linked | BasePart;
  readonly part: Linked;
  readonly parts: Parts;
  readonly evidence: Evidence;
  /** The evidence as it was given; null for that of a base, which is part of something else. */
  readonly document: JsonObject | null;
};

/** In the order in which they stand: bases below the run that continued from them. */
export function branchesOf({ proof }: Judged, judgement: Judgement): readonly Branch[] {
  const { examination, evidence } = judgement;
  const { parts, bases } = examination;
  const document = proof?.document ?? null;
  const own = ORDER.filter((part) => parts[part]).map((part) => {
    return { name: part, part, parts, evidence, document };
  });
  const below = bases.map((base): Branch => {
    const { part: name, below: inside } = base;
    return { name, part: "checkpoint", parts: inside, evidence: base.evidence, document: null };
  });
  return own.flatMap((branch) => (branch.part === "run" ? [branch, ...below] : [branch]));
}

/** What its own steps established. */
export function examinedOf({ part, parts }: Branch): Examined<unknown> | null {
  return parts[part] ?? null;
}
