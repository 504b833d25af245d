// SPDX-License-Identifier: Apache-2.0
/**
 * The one form in which a registry's certificates stand in DER, read element by element.
 *
 * Both verifiers read them so (signing/forms.py): a library may be laxer than another, and then one
 * certificate is good here and bad there. Whom a chain leads to is left to chains.
 */
import type { Bytes } from "./canonical";
import type { Element } from "./der";
import * as der from "./der";
import { equalBytes, fromHex, toHex } from "./digests";

const MAX_SERIAL_BYTES = 20; // RFC 5280, 4.1.2.2
const LAST_UTC_TIME_YEAR = 2049; // RFC 5280, 4.1.2.5
const EXTENSIONS = 0xa3;
const VERSION_3 = fromHex("a003020102");
const CONTEXT_0 = 0x80;
const CHOICE_0 = 0xa0;
const URI = 0x86;
const ASCII = new TextDecoder();
const PRINTABLE: ReadonlySet<number> = new Set(
  new TextEncoder().encode(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?",
  ),
);

/** RFC 5758, 3.2, with the hash of the issuer's curve; RFC 5480, 2: a key up to its point. */
const CURVES = [
  {
    name: "P-256",
    hash: "SHA-256",
    width: 32,
    algorithm: fromHex("300a06082a8648ce3d040302"),
    head: fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
  },
  {
    name: "P-384",
    hash: "SHA-384",
    width: 48,
    algorithm: fromHex("300a06082a8648ce3d040303"),
    head: fromHex("3076301006072a8648ce3d020106052b8104002203620004"),
  },
] as const;

// RFC 5280, 4.2: the extensions that a registry writes and a verifier understands.
export const KEY_IDENTIFIER = "2.5.29.14";
export const KEY_USAGE = "2.5.29.15";
export const NAMES = "2.5.29.17";
export const CONSTRAINTS = "2.5.29.19";
export const CRL_POINTS = "2.5.29.31";
export const POLICIES = "2.5.29.32";
export const ISSUER_KEY = "2.5.29.35";
export const EXTENDED_USAGE = "2.5.29.37";
export const ACCESS = "1.3.6.1.5.5.7.1.1";
const MAY_BE_CRITICAL = keysOf(KEY_USAGE, NAMES, CONSTRAINTS, EXTENDED_USAGE);
const OF_LEAVES_ALONE = keysOf(NAMES, EXTENDED_USAGE);
/** id-ce and id-pe: what stands there and not above limits a certificate in ways not followed. */
const STANDARD = ["551d", "2b060105050701"];

export type Curve = (typeof CURVES)[number];
export type Extension = {
  /** Its object identifier in DER, in hexadecimal. */
  readonly oid: string;
  readonly isCritical: boolean;
  readonly value: Bytes;
};

/** The parts of one certificate. */
export type Certificate = {
  readonly encoded: Bytes;
  /** What is signed, and its fields. */
  readonly body: Element;
  readonly fields: readonly Element[];
  readonly algorithm: Bytes;
  readonly signature: Bytes;
  readonly serial: Bytes;
  readonly issuer: Bytes;
  readonly subject: Bytes;
  readonly startsAt: Date;
  readonly endsAt: Date;
  /** The SubjectPublicKeyInfo. */
  readonly key: Bytes;
  readonly curve: Curve;
  readonly extensions: readonly Extension[];
};

type Body = Omit<Certificate, "encoded" | "signature">;

/** Read a certificate, or null where it is not in this form. */
export function readCertificate(encoded: Bytes): Certificate | null {
  const [body, algorithm, signature, ...more] = inside(der.whole(encoded, der.SEQUENCE));
  if (!body || !algorithm || !signature || more.length > 0) return null;
  // The count of unused bits is signed by nobody: any but 0 could be rewritten unseen.
  const isWhole = signature.tag === der.BIT_STRING && signature.content[0] === 0;
  const stated = isWhole && isAlgorithm(algorithm) ? readBody(body, algorithm) : null;
  return stated && { ...stated, encoded, signature: signature.content.slice(1) };
}

function readBody(body: Element, algorithm: Element): Body | null {
  const fields = inside(body);
  const [version, serial, stated, issuer, validity, subject, key, extensions, ...more] = fields;
  if (!serial || !issuer || !validity || !subject || !key || !extensions) return null;
  const isStated = isSame(version, VERSION_3) && isSame(stated, algorithm.encoded);
  const isNamed = isSerial(serial) && isName(issuer) && isName(subject);
  const times = timesOf(validity);
  const curve = curveOf(key.encoded);
  const listed = extensionsOf(extensions);
  if (!isStated || !isNamed || !times || !curve || !listed || more.length > 0) return null;
  return {
    body,
    fields,
    algorithm: algorithm.encoded,
    serial: serial.content,
    issuer: issuer.encoded,
    subject: subject.encoded,
    ...times,
    key: key.encoded,
    curve,
    extensions: listed,
  };
}

function inside(found: Element | null | undefined): readonly Element[] {
  return der.inside(found) ?? [];
}

function isSame(found: Element | undefined, expected: Bytes): boolean {
  return found !== undefined && equalBytes(found.encoded, expected);
}

/** The extension of this kind, if the certificate has one. */
export function extensionOf({ extensions }: Certificate, dotted: string): Extension | undefined {
  const oid = keyOf(dotted);
  return extensions.find((each) => each.oid === oid);
}

/**
 * Whether each extension may be in such a certificate, and has its form.
 *
 * RFC 5280, 4.2: what is critical and not understood makes a certificate unusable. Unknown ones
 * that are not critical are ignored, as long as no standard gives them a meaning.
 */
export function hasItsExtensions({ extensions }: Certificate, isAuthority: boolean): boolean {
  if (new Set(extensions.map(({ oid }) => oid)).size !== extensions.length) return false;
  return extensions.every(({ oid, isCritical, value }) => {
    if (isCritical && !MAY_BE_CRITICAL.has(oid)) return false;
    const isIts = isAuthority ? !OF_LEAVES_ALONE.has(oid) : true;
    const reader = isIts ? READERS.get(oid) : undefined;
    return reader ? reader(value) : !STANDARD.some((arc) => oid.slice(4).startsWith(arc));
  });
}

/** The names of a certificate that names nothing but URIs; none where it names otherwise. */
export function urisOf(certificate: Certificate): readonly string[] {
  const names = extensionOf(certificate, NAMES);
  const found = names && der.inside(der.whole(names.value, der.SEQUENCE));
  return found?.every(isUri) ? found.map(({ content }) => ASCII.decode(content)) : [];
}

/** The identifier of a certificate's own key, if it says one. */
export function keyIdentifierOf(certificate: Certificate): Bytes | null {
  const found = extensionOf(certificate, KEY_IDENTIFIER);
  return (found && der.whole(found.value, der.OCTET_STRING)?.content) ?? null;
}

/** An object identifier as an extension has it. */
export function keyOf(dotted: string): string {
  return toHex(der.objectIdentifier(dotted));
}

function keysOf(...dotted: readonly string[]): ReadonlySet<string> {
  return new Set(dotted.map(keyOf));
}

function isSerial({ tag, content }: Element): boolean {
  const [first = 0, second = 0] = content;
  const isPositive = (first > 0 && first < 0x80) || (first === 0 && second >= 0x80);
  return tag === der.INTEGER && isPositive && content.length <= MAX_SERIAL_BYTES;
}

function isAlgorithm({ encoded }: Element): boolean {
  return CURVES.some(({ algorithm }) => equalBytes(algorithm, encoded));
}

function isName(found: Element): boolean {
  const isPart = (part: Element) => some(der.inside(part, der.SET))?.every(isAttribute) ?? false;
  return der.inside(found)?.every(isPart) ?? false;
}

function isAttribute(found: Element): boolean {
  const [kind, value, ...more] = der.inside(found) ?? [];
  return !!kind && !!value && more.length === 0 && der.isOid(kind) && isText(value);
}

function isText({ tag, content }: Element): boolean {
  if (tag === der.PRINTABLE_STRING) {
    return content.every((byte) => PRINTABLE.has(byte));
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(content);
    return tag === der.UTF8_STRING;
  } catch {
    return false;
  }
}

function timesOf(validity: Element): Pick<Certificate, "startsAt" | "endsAt"> | null {
  const [startsAt, endsAt, ...more] = (der.inside(validity) ?? []).map(momentOf);
  return startsAt && endsAt && more.length === 0 ? { startsAt, endsAt } : null;
}

/** UTCTime up to 2049, and GeneralizedTime after. */
function momentOf(found: Element): Date | null {
  const at = der.readTime(found);
  const isEarly = at !== null && at.getUTCFullYear() <= LAST_UTC_TIME_YEAR;
  return isEarly === (found.tag === der.UTC_TIME) ? at : null;
}

function curveOf(key: Bytes): Curve | null {
  const found = CURVES.find(
    ({ head, width }) =>
      key.length === head.length + 2 * width && equalBytes(key.subarray(0, head.length), head),
  );
  return found ?? null;
}

function extensionsOf(found: Element): readonly Extension[] | null {
  const [list, ...more] = der.inside(found, EXTENSIONS) ?? [];
  const read = some(der.inside(list))?.map(readExtension);
  return more.length === 0 && read?.every((each) => each !== null) ? read : null;
}

/** An extension as it stands in certificates and answers; null for another element. */
export function readExtension(found: Element): Extension | null {
  const parts = [...(der.inside(found) ?? [])];
  const [oid, value] = [parts.shift(), parts.pop()];
  const [critical, ...more] = parts;
  if (!oid || !der.isOid(oid) || value?.tag !== der.OCTET_STRING || more.length > 0) return null;
  // DER leaves out a false.
  if (critical !== undefined && !equalBytes(critical.encoded, der.TRUE)) return null;
  return { oid: toHex(oid.encoded), isCritical: critical !== undefined, value: value.content };
}

function some(found: readonly Element[] | null): readonly Element[] | null {
  return found !== null && found.length > 0 ? found : null;
}

function sequence(value: Bytes): readonly Element[] | null {
  return some(der.inside(der.whole(value, der.SEQUENCE)));
}

function isUri({ tag, content }: Element): boolean {
  return tag === URI && content.every((byte) => byte < 0x80);
}

function isKeyIdentifier(value: Bytes): boolean {
  return (der.whole(value, der.OCTET_STRING)?.content.length ?? 0) > 0;
}

function isIssuerKey(value: Bytes): boolean {
  const [key, ...more] = sequence(value) ?? [];
  return key?.tag === CONTEXT_0 && key.content.length > 0 && more.length === 0;
}

/** Named bits: the last one is set, and those behind it are counted as unused (X.690, 11.2). */
function isKeyUsage(value: Bytes): boolean {
  const [unused = 8, ...octets] = der.whole(value, der.BIT_STRING)?.content ?? [];
  const last = octets.at(-1) ?? 0;
  const isLength = octets.length === 1 || octets.length === 2;
  return unused < 8 && isLength && (last & ((2 << unused) - 1)) === 1 << unused;
}

function isConstraints(value: Bytes): boolean {
  const found = der.inside(der.whole(value, der.SEQUENCE));
  const [isAuthority, length, ...more] = found ?? [];
  if (found?.length === 0) return true;
  if (!isAuthority || !equalBytes(isAuthority.encoded, der.TRUE) || more.length > 0) return false;
  const isSmall = length?.content.length === 1 && (length.content[0] ?? 8) < 8;
  return length === undefined || (length.tag === der.INTEGER && isSmall);
}

function isPolicies(value: Bytes): boolean {
  const isPolicy = (policy: Element) => {
    const [oid, ...qualifiers] = der.inside(policy) ?? [];
    return oid !== undefined && der.isOid(oid) && qualifiers.every((q) => q.tag === der.SEQUENCE);
  };
  return sequence(value)?.every(isPolicy) ?? false;
}

function isExtendedUsage(value: Bytes): boolean {
  return sequence(value)?.every(der.isOid) ?? false;
}

function isNames(value: Bytes): boolean {
  return sequence(value) !== null;
}

function isCrlPoints(value: Bytes): boolean {
  const isPoint = (point: Element) => {
    const [place, ...more] = der.inside(point) ?? [];
    const [names, ...others] = der.inside(place, CHOICE_0) ?? [];
    const isAlone = more.length === 0 && others.length === 0;
    return isAlone && (some(der.inside(names, CHOICE_0))?.every(isUri) ?? false);
  };
  return sequence(value)?.every(isPoint) ?? false;
}

function isAccess(value: Bytes): boolean {
  const isDescription = (description: Element) => {
    const [method, place, ...more] = der.inside(description) ?? [];
    if (!method || !place || more.length > 0) return false;
    return der.isOid(method) && isUri(place);
  };
  return sequence(value)?.every(isDescription) ?? false;
}

const READERS: ReadonlyMap<string, (value: Bytes) => boolean> = new Map([
  [keyOf(KEY_IDENTIFIER), isKeyIdentifier],
  [keyOf(KEY_USAGE), isKeyUsage],
  [keyOf(NAMES), isNames],
  [keyOf(CONSTRAINTS), isConstraints],
  [keyOf(CRL_POINTS), isCrlPoints],
  [keyOf(POLICIES), isPolicies],
  [keyOf(ISSUER_KEY), isIssuerKey],
  [keyOf(EXTENDED_USAGE), isExtendedUsage],
  [keyOf(ACCESS), isAccess],
]);
