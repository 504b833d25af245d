// SPDX-License-Identifier: Apache-2.0
/** The links of an acceptance: to its party, to a consent, and to what was signed by it. */
import { asId, sha256 } from "../digests";
import { VerificationError } from "../errors";
import type { PartyOpening } from "../pseudonyms";
import { partyCommitment } from "../pseudonyms";
import { seconds } from "../revocation";
import type { AcceptanceClaim } from "../statements/conduct";
import type { Consent, ConsentClaim } from "../statements/consent";
import { consentClaim, consentCommitment } from "../statements/consent";
import type { ConductReference } from "../statements/references";
import { broken, same } from "./links";
import type { Established } from "./report";

/** The acceptance is of the party that is named beside it, by its salted commitment. */
export async function opening(
  claim: AcceptanceClaim,
  shown: PartyOpening,
): Promise<Established<string>> {
  const found = await partyCommitment(shown);
  if (found !== claim.commitment) {
    const message = `expected the commitment ${claim.commitment}, found ${found}`;
    throw new VerificationError("wrong-opening", `${message} of '${shown.party}'`);
  }
  return [shown.party, `${shown.party}, at ${seconds(claim.acceptedAt)}`];
}

/**
 * The acceptance commits to what a key signed, and that says the same.
 *
 * And is over the very text of that version, where `texts` has its digest, by the document's.
 */
export async function consent(
  claim: AcceptanceClaim,
  { party, salt }: PartyOpening,
  shown: Consent,
  texts: ReadonlyMap<string, string>,
): Promise<Established<ConsentClaim>> {
  if (claim.consent === null) {
    throw broken("expected no consent, as the acceptance commits to none; found one");
  }
  same("commitment to the consent", claim.consent, await consentCommitment(shown, salt));
  const agreed = await consentClaim(shown);
  const [expected, found] = [claim.conduct, agreed.conduct];
  const isSame = expected.id === found.id && expected.version === found.version;
  if (!isSame || expected.sha256 !== found.sha256) {
    const message = `expected a consent to ${asId(expected.sha256)}`;
    throw broken(`${message}, found one to ${asId(found.sha256)}`);
  }
  if (agreed.party !== party) {
    throw broken(`expected the consent of ${party}, found '${agreed.party}'`);
  }
  const text = texts.get(expected.sha256);
  if (text !== undefined) same("text that the key signed for", text, agreed.textSha256);
  const compared = text === undefined ? "which is not at hand to compare" : "the version's own";
  const key = asId(await sha256(shown.key));
  return [agreed, `by the key ${key}, over the text ${asId(agreed.textSha256)}, ${compared}`];
}

/**
 * Whoever signed something under a policy had accepted a version of it before.
 *
 * Both moments are those of timestamps; the acceptance is an earlier `entry` of the ledger, and
 * does not say that it is newer than its own.
 */
export function before(
  { conduct: accepted, acceptedAt }: AcceptanceClaim,
  party: string,
  under: ConductReference,
  { entry, acceptedBy, signedBy }: { entry: number; acceptedBy: Date; signedBy: Date },
): Established<string> {
  if (accepted.id !== under.id) {
    throw broken(`expected an acceptance of '${under.id}', found one of '${accepted.id}'`);
  }
  if (acceptedAt > acceptedBy) {
    const message = `expected an acceptance of ${seconds(acceptedBy)} or before, as it is stamped`;
    throw broken(`${message}, found one that says ${seconds(acceptedAt)}`);
  }
  if (acceptedBy > signedBy) {
    const message = `expected an acceptance that was signed by ${seconds(signedBy)}`;
    throw broken(`${message}, found one of ${seconds(acceptedBy)}`);
  }
  return [party, `${party}, version ${accepted.version}, in entry ${entry}`];
}
