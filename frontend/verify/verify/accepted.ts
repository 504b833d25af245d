// SPDX-License-Identifier: Apache-2.0
/**
 * Who had accepted which rules, where those who signed show it: which steps, in which order.
 *
 * A certificate says which version of a conduct policy its holder had accepted; by an acceptance
 * that is shown to be the holder's, that is no longer its word alone. What nobody here signed by, or
 * only before it was in the ledger, is passed over. Each other is examined once, as `acceptance-1`
 * and on:
 *
 * 1. The eight steps of a signed part (`parts`): the registry's office for conduct said it.
 * 2. `acceptance-1.opening`: it is of the party that is named; the ledger has a commitment.
 * 3. `acceptance-1.consent`, where that is shown: a key signed the same, and the statement commits
 *    to that. Whose key it is, the party alone says.
 * 4. `output.acceptance-1` or as the part is called that the party signed, of each: it is of the
 *    policy that this is under, and was signed before this was.
 *
 * That an acceptance of the version stood when a part was signed is the registry's word, which
 * certified the key: that it was this one, nobody says. Withdrawals are not in the ledger.
 */
import { type AcceptanceEvidence, conductOf, entrySha256 } from "../acceptance";
import { sha256 } from "../digests";
import type { Part } from "../evidence";
import { acceptedBy } from "../provenance";
import { knownAs } from "../pseudonyms";
import type { AcceptanceClaim, ConductClaim } from "../statements/conduct";
import type { ConductReference } from "../statements/references";
import * as links from "./acceptancelinks";
import { acceptance } from "./kinds";
import { withLists } from "./opening";
import type { Examined } from "./parts";
import { examine } from "./parts";
import type { AcceptancePart, BasePart, Finding, Report } from "./report";
import type { Basis } from "./requirements";

/** What is under a conduct policy, and was signed by whoever had accepted a version of that. */
export type Signed = {
  /** As its steps begin: `output`, or `base-1` for that checkpoint. */
  readonly name: Part | BasePart;
  readonly noun: string;
  readonly examined: Examined<{ readonly conduct: ConductReference }>;
};

/** An acceptance that was examined, and what its party signed by it. */
export type Acceptance = {
  readonly part: AcceptancePart;
  readonly evidence: AcceptanceEvidence;
  readonly examined: Examined<AcceptanceClaim>;
  /** Of the key of a consent, where one is shown: whose it is, the party alone says. */
  readonly keySha256: string | null;
  readonly of: readonly Signed["name"][];
};

/**
 * Examine those at hand that are of somebody who signed one of these parts, each once.
 *
 * A consent is held to the text of its version, where that is one of the `policies` at hand.
 */
export async function examineAccepted(
  report: Report,
  signed: readonly Signed[],
  basis: Basis,
  policies: readonly Finding<ConductClaim>[],
): Promise<readonly Acceptance[]> {
  const known = policies.flatMap(({ value }) => value ?? []);
  const texts = new Map(known.map(({ conduct, textSha256 }) => [conduct.sha256, textSha256]));
  const found: Acceptance[] = [];
  for (const evidence of await eachOnce(basis.acceptances)) {
    const of = signedUnder(evidence, signed);
    if (of.length === 0) continue;
    const part: AcceptancePart = `acceptance-${found.length + 1}`;
    found.push(await examineOne(report, part, evidence, of, { basis, texts }));
  }
  return found;
}

/** Each once, whatever else is shown with it: the first counts. */
async function eachOnce(
  atHand: readonly AcceptanceEvidence[],
): Promise<readonly AcceptanceEvidence[]> {
  const found = new Map<string, AcceptanceEvidence>();
  for (const each of atHand) {
    const entry = await entrySha256(each);
    if (!found.has(entry)) found.set(entry, each);
  }
  return [...found.values()];
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
  { basis, texts }: { basis: Basis; texts: ReadonlyMap<string, string> },
): Promise<Acceptance> {
  const { bundle, opening, consent, witnesses } = evidence;
  const own = { ...basis, lists: withLists([...basis.lists, ...evidence.lists]), witnesses };
  const examined = await examine(report, acceptance(part), bundle, own); // 1
  const title = "The acceptance is of the party that is named";
  const party = await report.check(`${part}.opening`, title, () =>
    links.opening(examined.claim.get(), opening),
  ); // 2
  if (consent !== null) {
    const says = "The acceptance commits to what this key signed, which says the same";
    await report.check(`${part}.consent`, says, () =>
      links.consent(examined.claim.get(), opening, consent, texts),
    ); // 3
  }
  for (const each of signed) await link(report, part, each, { examined, party }); // 4
  const keySha256 = consent === null ? null : await sha256(consent.key);
  return { part, evidence, examined, keySha256, of: signed.map(({ name }) => name) };
}

async function link(
  report: Report,
  by: AcceptancePart,
  { name, noun, examined: signed }: Signed,
  { examined, party }: { examined: Examined<AcceptanceClaim>; party: Finding<string> },
): Promise<void> {
  const title = `Whoever signed the ${noun} had accepted a version of its policy before`;
  await report.check(`${name}.${by}`, title, () =>
    links.before(examined.claim.get(), party.get(), signed.claim.get().conduct, {
      entry: examined.bundle.get().proof.index,
      acceptedBy: examined.signedAt.get(),
      signedBy: signed.signedAt.get(),
    }),
  );
}
