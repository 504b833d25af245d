// SPDX-License-Identifier: Apache-2.0
/**
 * What a walk comes to beyond an artifact's own evidence, as far as it is at hand.
 *
 * The checkpoints that a run continued from, each examined as a checkpoint is, and who had accepted
 * the rules of all of it. A run names the manifest of the checkpoint that it started with. Which
 * evidence is about that one is found by the same digest, and each is held to it again by its own
 * steps.
 */
import type { Evidence } from "../evidence";
import { manifestId } from "../manifest";
import { type Acceptance, examineAccepted, type Signed } from "./accepted";
import type { Below } from "./below";
import { examineBelow, linkBelow } from "./below";
import type { Named } from "./heads";
import { CHECKPOINT } from "./kinds";
import { opening } from "./opening";
import { type BasePart, Report } from "./report";
import type { Basis } from "./requirements";

export const MAX_BASES = 64; // each takes as many signatures to check as the artifact itself

/** One of them: what its steps are called, what is said of it, and what they established. */
export type Base = {
  readonly part: BasePart;
  readonly evidence: Evidence;
  readonly below: Below;
};

/** All that a walk came to. */
export type Walked = {
  /** The checkpoints that the run continued from, the nearest first. */
  readonly bases: readonly Base[];
  /** Of those who signed any of this. */
  readonly acceptances: readonly Acceptance[];
};

/**
 * Examine what the run continued from, what that one's run did, and so on; then acceptances.
 *
 * `above` is what stands above the checkpoint, and was signed for itself.
 */
export async function walkOn(
  report: Report,
  below: Below,
  basis: Basis,
  ...above: readonly Signed[]
): Promise<Walked> {
  const bases = await descend(report, below, basis);
  const own = [{ part: "checkpoint", below } as const, ...bases].map(({ part: name, below }) => {
    return { name, noun: CHECKPOINT.noun, examined: below.checkpoint };
  });
  const policies = [below, ...bases.map((base) => base.below)].map(({ conduct }) => conduct.claim);
  const acceptances = await examineAccepted(report, [...above, ...own], basis, policies);
  return { bases, acceptances };
}

async function descend(report: Report, below: Below, basis: Basis): Promise<readonly Base[]> {
  const ids = await Promise.all(basis.bases.map(({ manifest }) => manifestId(manifest)));
  const atHand = new Map(basis.bases.map((each, at) => [ids[at] ?? "", each]));
  const found: Base[] = [];
  let parent = parentOf(below);
  while (found.length < MAX_BASES && parent !== null) {
    const evidence = atHand.get(parent);
    if (evidence === undefined) break;
    atHand.delete(parent);
    const base = await examine(report, evidence, basis, `base-${found.length + 1}`);
    found.push(base);
    parent = parentOf(base.below);
  }
  return found;
}

/** The tree heads of all that is at hand for a walk, by what they prove. */
export async function headsOf({ bases, acceptances }: Basis): Promise<readonly Named[]> {
  const found: Named[] = [];
  for (const { bundles, manifest } of bases) {
    const of = `of checkpoint ${(await manifestId(manifest)).slice(0, 12)}`;
    for (const [name, { proof }] of Object.entries(bundles)) {
      found.push([`${name} ${of}`, proof.note]);
    }
  }
  const shown = acceptances.map(({ bundle }, at): Named => {
    return [`acceptance ${at + 1} at hand`, bundle.proof.note];
  });
  return [...found, ...shown];
}

/** What the run says that it continued from, whether or not all about it holds. */
export function parentOf({ run }: Below): string | null {
  return run?.claim.value?.parentSha256 ?? null;
}

async function examine(
  report: Report,
  evidence: Evidence,
  basis: Basis,
  part: BasePart,
): Promise<Base> {
  const own = new Report();
  const opened = await opening(own, evidence, basis);
  const below = await examineBelow(own, evidence, opened);
  await linkBelow(own, evidence, opened, below);
  report.adopt(own.steps, part);
  return { part, evidence, below };
}
