// SPDX-License-Identifier: Apache-2.0
/**
 * Evidence of an acceptance: whose it is, as its party chooses to show.
 *
 * The ledger has commitments, which name nobody. The party's URI and the salt open them; what the
 * party signed with a key of its own is a consent. Only the form is checked here.
 */
import type { Bundle } from "./bundle";
import { hasKeyId, isWritten as isWrittenBundle, parseBundle } from "./bundle";
import type { Bytes, Json, JsonObject } from "./canonical";
import { asMapping, base64Bytes, items, literal, mapping, only, text, within } from "./canonical";
import { type Cosigner, parseCosigner } from "./cosignatures";
import { MAX_LISTS } from "./crls";
import { sha256 } from "./digests";
import { InvalidDocument } from "./errors";
import { type PartyOpening, parseOpening } from "./pseudonyms";
import { acceptanceClaim } from "./statements/conduct";
import { type Consent, parseConsent } from "./statements/consent";
import { parseStatement } from "./statements/statement";
import { MAX_SIGNATURE_LINES } from "./treehead";

export const ACCEPTANCE_EVIDENCE_V1 = "https://assay/acceptance-evidence/v1";
const LISTS = "revocation_lists";
const WITNESSES = "witnesses";
const MAX_WITNESSES = MAX_SIGNATURE_LINES - 1; // the ledger's own line is one of them

/** The bundle of an acceptance, and what says whose it is. */
export type AcceptanceEvidence = {
  readonly bundle: Bundle;
  /** Of the commitment in the acceptance's statement: not of a pseudonym, which has its own. */
  readonly opening: PartyOpening;
  /** What the party signed, too, where it chooses to show that. */
  readonly consent: Consent | null;
  /** Revocation lists (DER) of those who issued the bundle's certificates; of nothing else. */
  readonly lists: readonly Bytes[];
  /** Whose lines are in its tree head: to read them by, and no reason to believe them. */
  readonly witnesses: readonly Cosigner[];
  /** As it was read, to be handed on. */
  readonly document: JsonObject;
};

/** Read the JSON form (docs/spec/formats.md, section 6.1). Raises InvalidDocument. */
export async function parseAcceptance(value: Json): Promise<AcceptanceEvidence> {
  const document = asMapping(value, "acceptance");
  only(document, "type", "bundle", "party", "salt", "consent", LISTS, WITNESSES);
  literal(document, "type", ACCEPTANCE_EVIDENCE_V1);
  const { party, salt } = document;
  return {
    bundle: within("bundle", () => parseBundle(mapping(document, "bundle"))),
    opening: parseOpening({
      ...(party === undefined ? {} : { party }),
      ...(salt === undefined ? {} : { salt }),
    }),
    consent:
      "consent" in document
        ? within("consent", () => parseConsent(document.consent ?? null))
        : null,
    lists: listsOf(document),
    witnesses: await witnessesOf(document),
    document,
  };
}

/** Whether a document that was read stands as it would be written again. */
export function isWritten(document: JsonObject): boolean {
  const areSaid = [LISTS, WITNESSES].every(
    (name) => !(name in document) || items(document, name).length > 0,
  );
  const consent = "consent" in document ? mapping(document, "consent") : null;
  const isConsentWritten = consent === null || hasKeyId(mapping(consent, "envelope"));
  return areSaid && isConsentWritten && isWrittenBundle(mapping(document, "bundle"));
}

/** Of its entry in the ledger, by which one is told from another, whatever else is shown. */
export async function entrySha256({ bundle }: AcceptanceEvidence): Promise<string> {
  return sha256(bundle.entry);
}

/** Which version was accepted, by its own word; null for what is no such statement. */
export function conductOf({ bundle }: AcceptanceEvidence): string | null {
  try {
    return acceptanceClaim(parseStatement(bundle.envelope.payload)).conduct.sha256;
  } catch (error) {
    if (error instanceof InvalidDocument) return null;
    throw error;
  }
}

function listsOf(document: JsonObject): readonly Bytes[] {
  if (!(LISTS in document)) return [];
  return items(document, LISTS, MAX_LISTS).map((each) => base64Bytes({ [LISTS]: each }, LISTS));
}

async function witnessesOf(document: JsonObject): Promise<readonly Cosigner[]> {
  if (!(WITNESSES in document)) return [];
  const each = items(document, WITNESSES, MAX_WITNESSES);
  return Promise.all(each.map((value) => parseCosigner(text({ [WITNESSES]: value }, WITNESSES))));
}
