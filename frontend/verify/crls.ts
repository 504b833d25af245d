// SPDX-License-Identifier: Apache-2.0
/** Certificate revocation lists (RFC 5280, 5): whole ones by the issuer itself, read strictly. */
import type { Bytes } from "./canonical";
import type { Certificate } from "./certificates";
import { keyOf } from "./certificates";
import type { Element } from "./der";
import * as der from "./der";
import { equalBytes, toHex } from "./digests";
import { VerificationError } from "./errors";
import { extensionOf as certificateExtension, KEY_USAGE, keyIdentifierOf } from "./forms";
import type { Status } from "./revocation";
import { atMoment, reasonOf, worst } from "./revocation";

export const MAX_BYTES = 8 * 1024 * 1024;
export const MAX_LISTS = 64;
// The objects that a list names, in DER (RFC 5280, 5.2 and 5.3; RFC 5758, 3.2).
const AUTHORITY_KEY = "0603551d23";
const NUMBER = "0603551d14";
const DELTA = "0603551d1b";
const DISTRIBUTION_POINT = "0603551d1c";
const REASON = "0603551d15";
const INVALIDITY_DATE = "0603551d18";
const KNOWN = new Set([AUTHORITY_KEY, NUMBER]);
const LIMITS = new Set([DELTA, DISTRIBUTION_POINT]);

const CONTEXT_0 = 0xa0;
const KEY = 0x80; // RFC 5280, 4.2.1.1: keyIdentifier
const MAY_SIGN_LISTS = 0x02; // RFC 5280, 4.2.1.3: cRLSign, in the first octet
const VERSION_2 = "020101";
const TIMES = new Set([der.UTC_TIME, der.GENERALIZED_TIME]);

type Extension = { readonly id: string; readonly isCritical: boolean; readonly value: Bytes };
type Entry = {
  readonly serial: Bytes;
  readonly at: Date;
  readonly extensions: readonly Extension[];
};
type List = {
  readonly signed: Element;
  readonly algorithm: Bytes;
  readonly outerAlgorithm: Bytes;
  readonly signature: Bytes;
  readonly issuer: Bytes;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | null;
  readonly entries: readonly Entry[];
  readonly extensions: readonly Extension[];
};

/**
 * What the lists at hand say about a certificate; lists of other issuers say nothing.
 *
 * 1. There are few lists, each is not endless, and in DER as far as to its issuer's name.
 * 2. The list names this issuer, by name and by key identifier; another is passed over.
 * 3. The issuer may sign lists (keyUsage cRLSign).
 * 4. The issuer's key signed it, and nothing in it is outside the signature.
 * 5. It is a whole list with a number: no extension that limits or that is unknown and critical.
 * 6. A listed certificate is revoked; else the list counts until nextUpdate.
 */
export async function statusOf(
  certificate: Certificate,
  issuer: Certificate,
  lists: readonly Bytes[],
  at: Date,
): Promise<Status> {
  if (lists.length > MAX_LISTS) throw bad(`expected at most ${MAX_LISTS} revocation lists`); // 1
  const serial = withoutZeros(certificate.serial);
  const found: Status[] = [];
  for (const each of lists) {
    if (!equalBytes(issuerOf(each), issuer.subject)) continue; // 2: whatever else is in it
    const list = parse(each);
    if (!isIdentified(list, issuer)) continue;
    await checkSignature(list, issuer); // 3, 4
    checkWhole(list); // 5
    found.push(finding(list, serial, at)); // 6
  }
  return worst(found);
}

function finding(list: List, serial: Bytes, at: Date): Status {
  const entry = list.entries.find((each) => equalBytes(withoutZeros(each.serial), serial));
  if (entry !== undefined) return revoked(entry);
  if (list.nextUpdate === null) {
    throw bad("expected a revocation list that says when the next comes, found none");
  }
  return atMoment(list.thisUpdate, list.nextUpdate, at);
}

function revoked({ at, extensions }: Entry): Status {
  const [reason, since] = [REASON, INVALIDITY_DATE].map((id) =>
    extensions.find((each) => each.id === id),
  );
  const number = reason === undefined ? 0 : (der.element(reason.value)?.content[0] ?? 0);
  return {
    kind: "revoked",
    reason: reasonOf(number),
    revokedAt: at,
    invalidFrom: since === undefined ? null : timeOf(whole(since.value)),
  };
}

/** The name in a list, as both verifiers read it: by the elements before it alone. */
function issuerOf(encoded: Bytes): Bytes {
  if (encoded.length > MAX_BYTES) throw malformed();
  const [version, , issuer] = inside(inside(whole(encoded))[0]);
  if (version === undefined || issuer === undefined) throw malformed();
  if (toHex(version.encoded) !== VERSION_2) throw malformed();
  return issuer.encoded;
}

function isIdentified(list: List, issuer: Certificate): boolean {
  const identifier = list.extensions.find(({ id }) => id === AUTHORITY_KEY);
  const [key, ...more] = identifier === undefined ? [] : inside(whole(identifier.value));
  if (key?.tag !== KEY || more.length > 0) {
    throw bad("expected its issuer's key identifier alone in a list, found another");
  }
  const expected = keyIdentifierOf(issuer);
  return expected !== null && equalBytes(key.content, expected);
}

async function checkSignature(list: List, issuer: Certificate): Promise<void> {
  const usage = certificateExtension(issuer, KEY_USAGE);
  const bits = usage && der.whole(usage.value, der.BIT_STRING)?.content[1];
  if (((bits ?? 0) & MAY_SIGN_LISTS) === 0) {
    throw bad("expected an issuer that may sign revocation lists, found one without"); // 3
  }
  const { name, hash, width, algorithm } = issuer.curve;
  const isStated = [list.algorithm, list.outerAlgorithm].every((each) =>
    equalBytes(each, algorithm),
  );
  const raw = der.ecdsaFromDer(list.signature, width);
  const key = await keyOf(issuer);
  if (!isStated || raw === null || key === null) throw forged();
  const kind = { name: "ECDSA", namedCurve: name, hash };
  if (!(await crypto.subtle.verify(kind, key, raw, list.signed.encoded))) throw forged(); // 4
}

function checkWhole({ extensions, entries }: List): void {
  const number = extensions.find(({ id }) => id === NUMBER);
  if (number === undefined) throw lacking(NUMBER);
  if (number.isCritical) {
    throw bad("expected a number that is not critical, found a critical one");
  }
  const odd = extensions.find(
    ({ id, isCritical }) => !KNOWN.has(id) && (isCritical || LIMITS.has(id)),
  );
  if (odd !== undefined) throw bad(`expected a whole list, found ${der.dotted(odd.id)} in it`);
  const limited = entries.flatMap((entry) => entry.extensions).find(({ isCritical }) => isCritical);
  if (limited !== undefined) {
    const found = der.dotted(limited.id);
    throw bad(`expected entries without critical extensions, found ${found}`);
  }
}

function parse(encoded: Bytes): List {
  const [signed, outerAlgorithm, signature, ...more] = inside(whole(encoded));
  if (signed === undefined || outerAlgorithm === undefined || more.length > 0) throw malformed();
  if (signature?.tag !== der.BIT_STRING || signature.content[0] !== 0) throw malformed();
  return {
    signed,
    outerAlgorithm: outerAlgorithm.encoded,
    signature: signature.content.slice(1),
    ...contentOf(signed),
  };
}

/** The TBSCertList: nextUpdate and the entries may be absent, the extensions may not. */
function contentOf(signed: Element): Omit<List, "signed" | "outerAlgorithm" | "signature"> {
  const [version, algorithm, issuer, thisUpdate, ...rest] = inside(signed);
  if (version === undefined || toHex(version.encoded) !== VERSION_2) throw malformed();
  if (algorithm === undefined || issuer === undefined || thisUpdate === undefined) {
    throw malformed();
  }
  const nextUpdate = TIMES.has(rest[0]?.tag ?? 0) ? rest.shift() : undefined;
  const entries = rest[0]?.tag === der.SEQUENCE ? inside(rest.shift()) : [];
  const [extensions, ...more] = rest;
  if (more.length > 0 || extensions?.tag !== CONTEXT_0) throw malformed();
  return {
    algorithm: algorithm.encoded,
    issuer: issuer.encoded,
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: nextUpdate === undefined ? null : timeOf(nextUpdate),
    entries: entries.map(entryOf),
    extensions: extensionsOf(whole(extensions.content)),
  };
}

function entryOf(encoded: Element): Entry {
  const [serial, at, extensions, ...more] = inside(encoded);
  if (serial?.tag !== der.INTEGER || at === undefined || more.length > 0) throw malformed();
  const found = extensions === undefined ? [] : extensionsOf(extensions);
  return { serial: serial.content, at: timeOf(at), extensions: found };
}

function extensionsOf(encoded: Element): readonly Extension[] {
  const found = inside(encoded).map(extensionOf);
  if (new Set(found.map(({ id }) => id)).size !== found.length) throw malformed();
  return found;
}

function extensionOf(encoded: Element): Extension {
  const parts = [...inside(encoded)];
  const [id, value] = [parts.shift(), parts.pop()];
  const [critical, ...more] = parts;
  const isCritical = critical !== undefined;
  if (id?.tag !== der.OBJECT_IDENTIFIER || value?.tag !== der.OCTET_STRING) throw malformed();
  if (more.length > 0 || (isCritical && !equalBytes(critical.encoded, der.TRUE))) {
    throw malformed();
  }
  return { id: toHex(id.encoded), isCritical, value: value.content };
}

function timeOf(found: Element): Date {
  const at = der.readTime(found);
  if (at === null) throw malformed();
  return at;
}

function whole(data: Bytes): Element {
  const found = der.element(data);
  if (found?.end !== data.length) throw malformed();
  return found;
}

function inside(found: Element | undefined): readonly Element[] {
  const parts = found?.tag === der.SEQUENCE ? der.elements(found.content) : null;
  if (parts === null) throw malformed();
  return parts;
}

function withoutZeros(number: Bytes): Bytes {
  const first = number.findIndex((byte) => byte !== 0);
  return number.slice(first < 0 ? number.length : first);
}

function lacking(id: string): VerificationError {
  const expected = `expected extension ${der.dotted(id)} in a revocation list or its issuer`;
  return bad(`${expected}, found none`);
}

function forged(): VerificationError {
  return bad("expected a revocation list signed by its issuer, found another");
}

function malformed(): VerificationError {
  return bad("expected a revocation list in DER, found other bytes");
}

function bad(message: string): VerificationError {
  return new VerificationError("bad-revocation", message);
}
