// SPDX-License-Identifier: Apache-2.0
/**
 * What an OCSP answer (RFC 6960) says about a certificate, once it is known who gave it.
 *
 * No clock and no network: the caller brings the answer and the moment that it is judged at.
 */
import type { Bytes } from "./canonical";
import type { Certificate } from "./certificates";
import { keyOf, loadCertificate } from "./certificates";
import { isIssuedBy } from "./chains";
import type { Element } from "./der";
import * as der from "./der";
import { concat, equalBytes } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import * as forms from "./forms";
import type { Status } from "./revocation";
import { atMoment, reasonOf, seconds } from "./revocation";
import type { CertificateLog } from "./scts";
import { verifySct } from "./scts";

export const MAX_BYTES = 64 * 1024;
const FAILURES: Readonly<Record<number, string>> = {
  1: "MALFORMED_REQUEST",
  2: "INTERNAL_ERROR",
  3: "TRY_LATER",
  5: "SIG_REQUIRED",
  6: "UNAUTHORIZED",
};
const BASIC = der.objectIdentifier("1.3.6.1.5.5.7.48.1.1");
const NONCE = "1.3.6.1.5.5.7.48.1.2";
const INVALIDITY_DATE = "2.5.29.24";
const OCSP_SIGNING = der.objectIdentifier("1.3.6.1.5.5.7.3.9");
const HASHES = [
  ["SHA-1", "1.3.14.3.2.26"],
  ["SHA-256", "2.16.840.1.101.3.4.2.1"],
  ["SHA-384", "2.16.840.1.101.3.4.2.2"],
  ["SHA-512", "2.16.840.1.101.3.4.2.3"],
].map(([name = "", dotted = ""]) => ({ name, oid: der.objectIdentifier(dotted) }));
// Any other extension that is critical says something without which it may not be used
// (RFC 5280, 4.2; RFC 6960, 4.4).
const OF_RESPONDERS = [forms.KEY_USAGE, forms.EXTENDED_USAGE, forms.CONSTRAINTS];
const OF_ANSWERS = [NONCE, INVALIDITY_DATE];
const DIGITAL_SIGNATURE = 0x80; // RFC 5280, 4.2.1.3, in the first octet
const MAY_SIGN_CERTIFICATES = 0x04;
const GOOD = 0x80; // RFC 6960, 4.2.1: CertStatus
const REVOKED = 0xa1;
const CHOICE_0 = 0xa0;
const CHOICE_1 = 0xa1;
const BY_KEY = 0xa2;
/** Nothing is proven to be from before it: witnesses count from it (C2SP tlog-cosignature). */
const ALWAYS = new Date(0);

type Extension = forms.Extension;
type Answer = {
  readonly signed: Element;
  readonly signature: Bytes;
  readonly certificates: readonly Bytes[];
  /** The digest of the key that answered; null where it is named in another way. */
  readonly byKey: Bytes | null;
  readonly about: readonly Element[];
  readonly status: Element;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | null;
  readonly extensions: readonly Extension[];
  readonly single: readonly Extension[];
};

/**
 * What an answer says about a certificate; one about another says nothing.
 *
 * Raises bad-revocation for what is no answer, or not by whom the issuer lets answer, and
 * not-logged where the log has not seen who answers.
 *
 * 1. It is a successful answer in DER, and not endless.
 * 2. It is about this certificate of this issuer; another is passed over.
 * 3. It is by the issuer's key, or by a key that the issuer certified for this at the answer's
 *    thisUpdate, as the ledger knew by then.
 * 4. That key signed it; nothing in it is outside a signature, nothing critical is passed over.
 * 5. Revoked is revoked, from the answer's invalidity date on; one without says not since when, so
 *    nothing that was signed counts. Good counts until nextUpdate, and no longer than the
 *    certificate of who answered; unknown says nothing.
 */
export async function statusOf(
  certificate: Certificate,
  issuer: Certificate,
  response: Bytes,
  { log, at }: { readonly log: CertificateLog; readonly at: Date },
): Promise<Status> {
  const answer = parse(response); // 1
  if (!(await isAbout(answer, certificate, issuer))) return { kind: "missing" }; // 2
  const responder = await responderOf(answer, issuer, log); // 3
  await checkSignature(answer, response, responder); // 4
  checkKnown("answer", answer.extensions, OF_ANSWERS);
  checkKnown("answer", answer.single, OF_ANSWERS);
  return finding(answer, at, responder.endsAt); // 5
}

function finding({ status, single, ...answer }: Answer, at: Date, ends: Date): Status {
  if (status.tag === REVOKED) {
    const [moment, reason] = der.inside(status, REVOKED) ?? [];
    const stated = der.inside(reason, CHOICE_0)?.[0]?.content[0];
    const since = single.find(({ oid }) => oid === forms.keyOf(INVALIDITY_DATE));
    return {
      kind: "revoked",
      reason: reasonOf(stated ?? 0),
      revokedAt: timeOf(moment),
      invalidFrom: since === undefined ? ALWAYS : timeOf(der.element(since.value) ?? undefined),
    };
  }
  if (status.tag !== GOOD) return { kind: "missing" };
  const { thisUpdate, nextUpdate } = answer;
  if (nextUpdate === null) {
    throw bad("expected an OCSP answer that says until when, found none");
  }
  return atMoment(thisUpdate, nextUpdate < ends ? nextUpdate : ends, at);
}

async function isAbout(
  { about }: Answer,
  certificate: Certificate,
  issuer: Certificate,
): Promise<boolean> {
  const [algorithm, name, key, serial] = about;
  const [oid] = der.inside(algorithm) ?? [];
  const hash = HASHES.find((each) => oid !== undefined && equalBytes(each.oid, oid.encoded))?.name;
  if (!name || !key || !serial) throw malformed();
  if (hash === undefined || !equalBytes(serial.content, certificate.serial)) return false;
  const [ofName, ofKey] = [await digest(hash, issuer.subject), await keyDigest(hash, issuer)];
  return equalBytes(name.content, ofName) && equalBytes(key.content, ofKey);
}

async function responderOf(
  { byKey, certificates, thisUpdate }: Answer,
  issuer: Certificate,
  log: CertificateLog,
): Promise<Certificate> {
  const isBy = async (each: Certificate) =>
    byKey !== null && equalBytes(byKey, await keyDigest("SHA-1", each));
  if (await isBy(issuer)) return issuer;
  for (const encoded of certificates) {
    const responder = load(encoded);
    if (!(await isBy(responder))) continue;
    await checkResponder(responder, issuer, thisUpdate);
    await verifySct({ leaf: responder, intermediate: issuer }, { log, by: thisUpdate });
    return responder;
  }
  throw bad("expected the certificate of the key that answered, found none");
}

function load(encoded: Bytes): Certificate {
  try {
    return loadCertificate("responder", encoded);
  } catch (error) {
    throw error instanceof InvalidDocument ? bad(error.message) : error;
  }
}

async function checkResponder(
  responder: Certificate,
  issuer: Certificate,
  at: Date,
): Promise<void> {
  if (!(await isIssuedBy(responder, issuer))) {
    throw bad("expected a responder of the same issuer, found another");
  }
  checkKnown("responder", responder.extensions, OF_RESPONDERS);
  checkUsages(responder);
  if (at < responder.startsAt || at > responder.endsAt) {
    throw bad(`expected a responder that is valid at ${seconds(at)}`);
  }
}

/** Certified to answer, to sign with its own key, and to issue nothing (RFC 6960, 4.2.2.2). */
function checkUsages(responder: Certificate): void {
  const [extended, usage, limits] = [forms.EXTENDED_USAGE, forms.KEY_USAGE, forms.CONSTRAINTS].map(
    (dotted) => forms.extensionOf(responder, dotted)?.value,
  );
  if (!extended || !equalBytes(extended, der.encode(der.SEQUENCE, OCSP_SIGNING))) {
    throw bad("expected a responder certified for OCSP alone, found another");
  }
  const bits = (usage && der.whole(usage, der.BIT_STRING)?.content[1]) ?? 0;
  const isAuthority = limits !== undefined && !equalBytes(limits, der.encode(der.SEQUENCE));
  const signs = (bits & DIGITAL_SIGNATURE) !== 0 && (bits & MAY_SIGN_CERTIFICATES) === 0;
  if (!signs || isAuthority) {
    throw bad("expected a responder whose key signs answers and no certificates, found another");
  }
}

function checkKnown(
  what: string,
  extensions: readonly Extension[],
  known: readonly string[],
): void {
  const oids = known.map(forms.keyOf);
  const odd = extensions.find(({ oid, isCritical }) => isCritical && !oids.includes(oid));
  if (odd === undefined) return;
  const dotted = der.dotted(odd.oid);
  throw bad(`expected no critical extension ${dotted} of an OCSP ${what}, found it`);
}

async function checkSignature(
  { signed, signature, certificates }: Answer,
  response: Bytes,
  responder: Certificate,
): Promise<void> {
  const { name, hash, width, algorithm } = responder.curve;
  const included = certificates.length === 0 ? [] : [der.encode(der.SEQUENCE, ...certificates)];
  const bits = der.encode(der.BIT_STRING, Uint8Array.of(0), signature);
  const wrapped = included.map((each) => der.explicit(0, each));
  const basic = der.encode(der.SEQUENCE, signed.encoded, algorithm, bits, ...wrapped);
  const content = der.encode(der.SEQUENCE, BASIC, der.encode(der.OCTET_STRING, basic));
  const successful = der.encode(der.ENUMERATED, Uint8Array.of(0));
  const again = der.encode(der.SEQUENCE, successful, der.explicit(0, content));
  if (!equalBytes(again, response)) {
    throw bad("expected an OCSP answer without unsigned parts, found some");
  }
  const [raw, key] = [der.ecdsaFromDer(signature, width), await keyOf(responder)];
  const kind = { name: "ECDSA", namedCurve: name, hash };
  if (!raw || !key || !(await crypto.subtle.verify(kind, key, raw, signed.encoded))) {
    throw bad("expected an OCSP answer signed by its responder");
  }
}

function parse(response: Bytes): Answer {
  if (response.length > MAX_BYTES) {
    throw bad(`expected at most ${MAX_BYTES} bytes, found ${response.length}`);
  }
  const [outcome, wrapped] = inside(der.whole(response, der.SEQUENCE));
  if (outcome?.tag !== der.ENUMERATED) throw malformed();
  const code = outcome.content[0] ?? 0;
  if (code !== 0) throw bad(`expected an OCSP answer, found ${FAILURES[code] ?? code}`);
  const [type, octets] = inside(inside(wrapped, CHOICE_0)[0]);
  if (type === undefined || !equalBytes(type.encoded, BASIC)) throw malformed();
  if (octets?.tag !== der.OCTET_STRING) throw malformed();
  const [signed, , signature, chain] = inside(der.whole(octets.content, der.SEQUENCE));
  if (signed === undefined || signature?.tag !== der.BIT_STRING) throw malformed();
  const certificates = chain === undefined ? [] : inside(inside(chain, CHOICE_0)[0]);
  return {
    signed,
    signature: signature.content.slice(1),
    certificates: certificates.map(({ encoded }) => encoded),
    ...contentOf(signed),
  };
}

/** The ResponseData (RFC 6960, 4.2.1), of one answer. */
function contentOf(signed: Element): Omit<Answer, "signed" | "signature" | "certificates"> {
  const [responder, , answers, more] = inside(signed);
  const [single, ...others] = inside(answers);
  const [about, status, thisUpdate, ...rest] = inside(single);
  if (responder === undefined || status === undefined || others.length > 0) throw malformed();
  const next = rest[0]?.tag === CHOICE_0 ? inside(rest.shift(), CHOICE_0)[0] : undefined;
  const byKey = responder.tag === BY_KEY ? inside(responder, BY_KEY)[0]?.content : undefined;
  return {
    byKey: byKey ?? null,
    about: inside(about),
    status,
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: next === undefined ? null : timeOf(next),
    extensions: extensionsIn(more),
    single: extensionsIn(rest[0]),
  };
}

function extensionsIn(wrapped: Element | undefined): readonly Extension[] {
  if (wrapped === undefined) return [];
  return inside(inside(wrapped, CHOICE_1)[0]).map((each) => {
    const found = forms.readExtension(each);
    if (found === null) throw malformed();
    return found;
  });
}

function inside(found: Element | null | undefined, tag = der.SEQUENCE): readonly Element[] {
  const parts = der.inside(found, tag);
  if (parts === null) throw malformed();
  return [...parts];
}

function timeOf(found: Element | undefined): Date {
  const at = found?.tag === der.GENERALIZED_TIME ? der.readTime(found) : null;
  if (at === null) throw malformed();
  return at;
}

/** Of a certificate's key, without what kind of key it is (RFC 6960, 4.1.1). */
function keyDigest(hash: string, { key, curve }: Certificate): Promise<Bytes> {
  return digest(hash, concat(key.subarray(curve.head.length - 1))); // from the point's first byte
}

async function digest(hash: string, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(hash, data));
}

function malformed(): VerificationError {
  return bad("expected an OCSP answer in DER, found other bytes");
}

function bad(message: string): VerificationError {
  return new VerificationError("bad-revocation", message);
}
