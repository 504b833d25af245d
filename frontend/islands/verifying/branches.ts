// SPDX-License-Identifier: Apache-2.0
/** What a tree of provenance has links for, from what was said last down to the rules. */
import type { Bundle } from "../../verify/bundle";
import { type Json, mapping } from "../../verify/canonical";
import { type Evidence, PARTS, type Part } from "../../verify/evidence";
import type { Acceptance } from "../../verify/verify/accepted";
import type { Examination, Parts } from "../../verify/verify/artifacts";
import type { Base } from "../../verify/verify/descent";
import type { Examined } from "../../verify/verify/parts";
import type { AcceptancePart, BasePart } from "../../verify/verify/report";
import type { Judged, Judgement } from "./judging";
import { type Told, toldOf, toldOfAcceptance } from "./told";

/** A model signature is beside the checkpoint's files, and has no link of its own. */
export type Linked = Exclude<Part, "model">;
/** What is said of things is above them. */
export const ORDER: readonly Linked[] = ["takedown", "withdrawal", ...PARTS].filter(
  (part, index, all): part is Linked => part !== "model" && all.indexOf(part) === index,
);

/** One link: of a part, of a checkpoint that the run continued from, or of an acceptance. */
export type Branch = {
  readonly name: Linked | BasePart | AcceptancePart;
  readonly kind: Linked | "base" | "acceptance";
  readonly told: Told | null;
  /** What its own steps established. */
  readonly examined: Examined<unknown> | null;
  readonly bundle: Bundle | undefined;
  /** The bundle as it was given; null for that of a base, which is part of something else. */
  readonly given: Json;
};

/** In the order in which they stand: bases below the run, acceptances below the rules. */
export function branchesOf({ proof }: Judged, judgement: Judgement): readonly Branch[] {
  const { examination, evidence } = judgement;
  const { parts, bases, acceptances } = examination;
  const bundles = proof === null ? {} : mapping(proof.document, "bundles");
  const own = ORDER.filter((part) => parts[part]).map((part): Branch => {
    return {
      ...branchOf(part, parts, evidence),
      name: part,
      kind: part,
      given: bundles[part] ?? null,
    };
  });
  return own.flatMap((branch) => {
    if (branch.kind === "run") return [branch, ...bases.map(ofBase)];
    return branch.kind === "conduct"
      ? [branch, ...acceptances.map((each) => ofAcceptance(each, examination))]
      : [branch];
  });
}

function branchOf(part: Linked, parts: Parts, evidence: Evidence) {
  const told = toldOf(part, parts, evidence);
  return { told, examined: parts[part] ?? null, bundle: evidence.bundles[part] };
}

function ofBase({ part: name, below, evidence }: Base): Branch {
  return { ...branchOf("checkpoint", below, evidence), name, kind: "base", given: null };
}

function ofAcceptance(acceptance: Acceptance, examination: Examination): Branch {
  const { part: name, examined, evidence } = acceptance;
  const { bundle, document } = evidence;
  const told = toldOfAcceptance(acceptance, examination);
  return { name, kind: "acceptance", told, examined, bundle, given: document.bundle ?? null };
}
