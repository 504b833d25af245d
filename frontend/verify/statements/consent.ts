// SPDX-License-Identifier: Apache-2.0
/** What a party signs with a key of its own when it accepts conduct, and the commitment to that. */
import type { Bytes, Json } from "../canonical";
import { asMapping, base64Bytes, dumps, instant, mapping, only, text, within } from "../canonical";
import { concat, equalBytes, sha256 } from "../digests";
import { canonicalEnvelope, type Envelope, parseEnvelope, verifyEnvelope } from "../envelope";
import { VerificationError } from "../errors";
import type { ConductReference } from "./references";
import { conductReference, conductSubject, reference } from "./references";
import { CONSENT_V1, expectSubjects, parseStatement, predicateOf } from "./statement";

/** The party read this text of this version, and is bound by it. */
export type ConsentClaim = {
  readonly conduct: ConductReference;
  readonly textSha256: string;
  /** Its URI. */
  readonly party: string;
  readonly agreedAt: Date;
};

/** A consent in its envelope, with the key. Whose key it is, nobody but the party says. */
export type Consent = {
  readonly envelope: Envelope;
  /** SubjectPublicKeyInfo (DER). */
  readonly key: Bytes;
};

/** Read the JSON form; what it says is for `consentClaim` to read. Raises InvalidDocument. */
export function parseConsent(value: Json): Consent {
  const document = asMapping(value, "consent");
  only(document, "envelope", "key");
  const inner = mapping(document, "envelope");
  const envelope = within("envelope", () => parseEnvelope(inner));
  return { envelope, key: base64Bytes(document, "key") };
}

/** What the key signed. Raises InvalidDocument, or VerificationError (bad-signature). */
export async function consentClaim({ envelope, key }: Consent): Promise<ConsentClaim> {
  await verifyEnvelope(envelope, await keyOf(key));
  const statement = parseStatement(envelope.payload);
  const predicate = predicateOf(statement, CONSENT_V1, "conduct", "text", "party", "agreed_at");
  const conduct = conductReference(predicate, "conduct");
  expectSubjects(statement, conductSubject(conduct));
  return {
    conduct,
    textSha256: reference(predicate, "text"),
    party: text(predicate, "party"),
    agreedAt: instant(predicate, "agreed_at"),
  };
}

/**
 * What the ledger has of it.
 *
 * The key is in it, for a signature alone is one by several keys (SEC 1, 4.1.6).
 */
export async function consentCommitment({ envelope, key }: Consent, salt: Bytes): Promise<string> {
  const digests = { envelope: await sha256(canonicalEnvelope(envelope)), key: await sha256(key) };
  return sha256(concat(salt, dumps({ consent: digests })));
}

/** A P-256 key in its one form. */
async function keyOf(encoded: Bytes): Promise<CryptoKey> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  try {
    const key = await crypto.subtle.importKey("spki", encoded, algorithm, true, ["verify"]);
    const written = new Uint8Array(await crypto.subtle.exportKey("spki", key));
    if (equalBytes(written, encoded)) return key;
  } catch {
    // not a key; said below, as of one that is written in another way
  }
  throw new VerificationError("bad-signature", "expected a P-256 key in DER, found another");
}
