// SPDX-License-Identifier: Apache-2.0
/**
 * Who had accepted which rules, where those who signed show it: which steps, in which order.
 *
 * A certificate says which version of a conduct policy its holder had accepted; by the acceptance
 * that is shown to be the holder's, that is no longer its word alone. What nobody here signed by, or
 * only before it was in the ledger, is passed over. Of each other, `acceptance-1` and so on:
 *
 * 1. The eight steps of a signed part (`parts`): the registry's office for conduct said it.
 * 2. `acceptance-1.opening`: it is of the party that is named; the ledger has a commitment.
 * 3. `acceptance-1.consent`, where that is shown: the party's own key signed the same.
 * 4. `output.acceptance-1` or as the part is called that the party signed, of each: it is of the
 *    policy that this is under, and was signed before this was.
 *
 * That it had not been withdrawn by then is the registry's word: it certified the key.
 */
import { type AcceptanceEvidence, conductOf } from "../acceptance";
import type { Part } from "../evidence";
import { acceptedBy } from "../provenance";
import { knownAs } from "../pseudonyms";
import type { AcceptanceClaim } from "../statements/conduct";
import type { ConductReference } from "../statements/references";
import { acceptance } from "./kinds";
import * as links from "./links";
import type { Examined } from "./parts";
import { examine } from "./parts";
import type { AcceptancePart, Finding, Report } from "./report";
import type { Basis } from "./requirements";

/** What is under a conduct policy, and was signed by whoever had accepted it. */
export type Signed = {
  readonly part: Part;
  readonly noun: string;
  readonly examined: Examined<{ readonly conduct: ConductReference }>;
};

/** An acceptance that was examined, and what its party signed by it. */
export type Acceptance = {
  readonly part: AcceptancePart;
  readonly evidence: AcceptanceEvidence;
  readonly examined: Examined<AcceptanceClaim>;
  readonly of: readonly Part[];
};

/** Examine those at hand that are of somebody who signed one of these parts. */
export async function examineAccepted(
  report: Report,
  signed: readonly Signed[],
  basis: Basis,
): Promise<readonly Acceptance[]> {
  const found: Acceptance[] = [];
  for (const evidence of basis.acceptances) {
    const of = signedUnder(evidence, signed);
    if (of.length === 0) continue;
    const part: AcceptancePart = `acceptance-${found.length + 1}`;
    found.push(await examineOne(report, part, evidence, of, basis));
  }
  return found;
}

/**
 * What the party signed since, by certificates that name what it accepted.
 *
 * Of one that cannot be read all that the party signed: its own step says that it cannot.
 */
function signedUnder(evidence: AcceptanceEvidence, signed: readonly Signed[]): readonly Signed[] {
  const version = conductOf(evidence);
  return signed.filter(({ examined: { bundle, signer } }) => {
    if (bundle.value === null || signer.value === null) return false;
    const { chain, proof } = bundle.value;
    const isParty = knownAs(signer.value) === evidence.opening.party;
    const isNamed = version === null || acceptedBy(chain.leaf) === version;
    return isParty && isNamed && evidence.bundle.proof.index < proof.index;
  });
}

async function examineOne(
  report: Report,
  part: AcceptancePart,
  evidence: AcceptanceEvidence,
  signed: readonly Signed[],
  basis: Basis,
): Promise<Acceptance> {
  const { bundle, opening, consent, witnesses } = evidence;
  const own = { ...basis, witnesses };
  const examined = await examine(report, acceptance(part), bundle, own); // 1
  const title = "The acceptance is of the party that is named";
  const party = await report.check(`${part}.opening`, title, () =>
    links.acceptanceOpening(examined.claim.get(), opening),
  ); // 2
  if (consent !== null) {
    const own = "The party accepted it with a key of its own";
    await report.check(`${part}.consent`, own, () =>
      links.acceptanceConsent(examined.claim.get(), opening, consent),
    ); // 3
  }
  for (const each of signed) await link(report, part, each, { examined, party }); // 4
  return { part, evidence, examined, of: signed.map((each) => each.part) };
}

async function link(
  report: Report,
  by: AcceptancePart,
  { part, noun, examined: signed }: Signed,
  { examined, party }: { examined: Examined<AcceptanceClaim>; party: Finding<string> },
): Promise<void> {
  const title = `Whoever signed the ${noun} had accepted its rules before`;
  await report.check(`${part}.${by}`, title, () =>
    links.acceptance(examined.claim.get(), party.get(), signed.claim.get().conduct, {
      entry: examined.bundle.get().proof.index,
      acceptedBy: examined.signedAt.get(),
      signedBy: signed.signedAt.get(),
    }),
  );
}
