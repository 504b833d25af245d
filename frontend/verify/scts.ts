// SPDX-License-Identifier: Apache-2.0
/** Signed certificate timestamps (RFC 6962): that a certificate was logged before it was one. */
import type { Bytes } from "./canonical";
import type { Certificate } from "./certificates";
import type { Element } from "./der";
import * as der from "./der";
import { concat, equalBytes, fromHex, sha256Bytes } from "./digests";
import { VerificationError } from "./errors";
import { seconds } from "./revocation";

const SCT_LIST = der.objectIdentifier("1.3.6.1.4.1.11129.2.4.2");
const VERSION_1 = Uint8Array.of(0);
const CERTIFICATE_TIMESTAMP = Uint8Array.of(0); // RFC 6962, 3.2: SignatureType
const PRECERT_ENTRY = fromHex("0001"); // RFC 6962, 3.1: LogEntryType
const SHA256_ECDSA = fromHex("0403"); // RFC 5246, 7.4.1.4.1
const NO_EXTENSIONS = fromHex("0000");
const P256_BYTES = 32;
const EXTENSIONS = 0xa3; // RFC 5280, 4.1
// Where the parts of a list of one timestamp begin; an ECDSA signature has at most 72 bytes.
const LOG_ID = 7;
const TIME = 39;
const SIGNATURE = 53;
const LAST = 125;
const LAST_MILLISECOND = Date.parse("9999-12-31T23:59:59.999Z"); // that instants are written for

/** The key of a registry's log of certificates, and its id. */
export type CertificateLog = { readonly key: CryptoKey; readonly id: Bytes };

type Sct = { readonly logId: Bytes; readonly time: Bytes; readonly signature: Bytes };

/**
 * Check that a certificate was logged, and return when. Raises VerificationError (not-logged).
 *
 * 1. It holds one timestamp, of version 1, and nothing beside it.
 * 2. The timestamp names this log.
 * 3. The log's key signed it, over this certificate and this issuer's key (RFC 6962, 3.2).
 * 4. It is not from after `by`, when the certificate was used.
 */
export async function verifySct(
  { leaf, intermediate }: { readonly leaf: Certificate; readonly intermediate: Certificate },
  { log, by }: { readonly log: CertificateLog; readonly by: Date },
): Promise<Date> {
  const { fields } = leaf;
  const sct = parse(valueIn(fields)); // 1
  if (!equalBytes(sct.logId, log.id)) {
    throw notLogged("expected a timestamp of the pinned log, found one of another log"); // 2
  }
  const raw = der.ecdsaFromDer(sct.signature, P256_BYTES);
  const signed = await signedBytes(fields, intermediate, sct.time);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  if (raw === null || !(await crypto.subtle.verify(algorithm, log.key, raw, signed))) {
    throw notLogged("expected a timestamp over this certificate, found one over another"); // 3
  }
  const milliseconds = sct.time.reduce((sum, byte) => sum * 256 + byte, 0);
  const at = new Date(Math.min(milliseconds, LAST_MILLISECOND));
  if (at > by) {
    throw notLogged(
      `expected a certificate logged by ${seconds(by)}, found it logged at ${seconds(at)}`,
    ); // 4
  }
  return at;
}

/** Read an extension's value; whatever is not exactly one timestamp of ours is refused. */
function parse(value: Bytes): Sct {
  const found = {
    logId: value.slice(LOG_ID, TIME),
    time: value.slice(TIME, TIME + 8),
    signature: value.slice(SIGNATURE, LAST),
  };
  if (!equalBytes(written(found), value)) {
    throw notLogged("expected one timestamp of version 1 in the certificate, found another");
  }
  return found;
}

/** The value: an OCTET STRING around a list of one (RFC 6962, 3.3). */
function written({ logId, time, signature }: Sct): Bytes {
  const sct = concat(VERSION_1, logId, time, NO_EXTENSIONS, SHA256_ECDSA, counted(signature, 2));
  return der.encode(der.OCTET_STRING, counted(counted(sct, 2), 2));
}

/** What a log signs for a certificate and its issuer's key (RFC 6962, 3.2). */
async function signedBytes(
  fields: readonly Element[],
  issuer: Certificate,
  time: Bytes,
): Promise<Bytes> {
  return concat(
    VERSION_1,
    CERTIFICATE_TIMESTAMP,
    time,
    PRECERT_ENTRY,
    await sha256Bytes(issuer.key),
    counted(withoutTimestamps(fields), 3),
    NO_EXTENSIONS,
  );
}

/** The TBSCertificate without its timestamps. */
function withoutTimestamps(fields: readonly Element[]): Bytes {
  const kept = extensionsOf(fields).filter((extension) => !isTimestamps(extension));
  const rest = fields.filter(({ tag }) => tag !== EXTENSIONS);
  const list = der.encode(der.SEQUENCE, ...kept.map(({ encoded }) => encoded));
  return der.encode(
    der.SEQUENCE,
    ...rest.map(({ encoded }) => encoded),
    der.encode(EXTENSIONS, list),
  );
}

/** The value of the one extension that holds timestamps. */
function valueIn(fields: readonly Element[]): Bytes {
  const [found, ...others] = extensionsOf(fields).filter(isTimestamps);
  if (found === undefined) {
    throw notLogged("expected a certificate with a timestamp, found one without");
  }
  const value = inside(found).at(-1)?.content;
  if (others.length > 0 || value === undefined) {
    throw notLogged("expected a certificate with one timestamp, found another");
  }
  return value;
}

function isTimestamps(extension: Element): boolean {
  return equalBytes(inside(extension)[0]?.encoded ?? new Uint8Array(), SCT_LIST);
}

function extensionsOf(fields: readonly Element[]): readonly Element[] {
  const list = inside(fields.find(({ tag }) => tag === EXTENSIONS))[0];
  return inside(list);
}

function inside(outer: Element | null | undefined): readonly Element[] {
  return (outer && der.elements(outer.content)) ?? [];
}

/** Bytes after how many they are (RFC 5246, 4.3). */
function counted(data: Bytes, lengthBytes: number): Bytes {
  const length = Array.from(
    { length: lengthBytes },
    (_, index) => Math.floor(data.length / 256 ** (lengthBytes - 1 - index)) % 256,
  );
  return concat(Uint8Array.from(length), data);
}

function notLogged(message: string): VerificationError {
  return new VerificationError("not-logged", message);
}
