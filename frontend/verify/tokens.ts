// SPDX-License-Identifier: Apache-2.0
/** The bytes of a granted RFC 3161 answer, built from the parts that decide. */
import type { Bytes } from "./canonical";
import type { Certificate, Chain } from "./certificates";
import { policyOf } from "./chains";
import * as der from "./der";
import { equalBytes, fromHex, sha256Bytes } from "./digests";

// The objects that a token names, in DER (RFC 5652, RFC 3161, RFC 5816, FIPS 180-4, RFC 5758).
export const SIGNED_DATA = fromHex("06092a864886f70d010702");
export const TST_INFO = fromHex("060b2a864886f70d0109100104");
export const GRANTED = fromHex("3003020100");
const CONTENT_TYPE = fromHex("06092a864886f70d010903");
const MESSAGE_DIGEST = fromHex("06092a864886f70d010904");
const SIGNING_CERTIFICATE_V2 = fromHex("060b2a864886f70d010910022f");
const SHA_256 = fromHex("0609608648016503040201");
const SHA_256_NULL = der.encode(der.SEQUENCE, SHA_256, der.NULL);
const SHA_256_ALONE = der.encode(der.SEQUENCE, SHA_256);
const ECDSA_WITH_SHA256 = fromHex("300a06082a8648ce3d040302");

/** The parts of a granted response that decide. */
export type Token = {
  /** The TSTInfo: what is signed. */
  readonly info: Bytes;
  readonly signedAttributes: Bytes;
  readonly signature: Bytes;
  readonly chain: Chain;
};

/** The one TimeStampResp that these parts make: whatever else it held would be signed by nobody. */
export function granted({ info, signedAttributes, signature, chain }: Token): Bytes {
  const { leaf, intermediate } = chain;
  const signer = der.encode(
    der.SEQUENCE,
    der.integer(1),
    der.encode(der.SEQUENCE, leaf.issuer, der.encode(der.INTEGER, leaf.serial)),
    SHA_256_NULL,
    der.explicit(0, der.element(signedAttributes)?.content ?? new Uint8Array()),
    ECDSA_WITH_SHA256,
    der.encode(der.OCTET_STRING, signature),
  );
  const certificates = [leaf.encoded, intermediate.encoded].sort(der.compare);
  const signed = der.encode(
    der.SEQUENCE,
    der.integer(3), // RFC 5652, 5.1: content other than plain data
    der.encode(der.SET, SHA_256_NULL),
    der.encode(der.SEQUENCE, TST_INFO, der.explicit(0, der.encode(der.OCTET_STRING, info))),
    der.explicit(0, ...certificates),
    der.encode(der.SET, signer),
  );
  const content = der.encode(der.SEQUENCE, SIGNED_DATA, der.explicit(0, signed));
  return der.encode(der.SEQUENCE, GRANTED, content);
}

/** Whether a TSTInfo has the fields of ours alone, and is over this SHA-256. */
export function isInfo(info: Bytes, hashed: Bytes): boolean {
  const fields = der.inside(der.whole(info, der.SEQUENCE)) ?? [];
  const [version, policy, imprint, serial, , nonce, ...more] = fields;
  const digest = der.encode(der.OCTET_STRING, hashed);
  const forms = [SHA_256_NULL, SHA_256_ALONE].map((algorithm) =>
    der.encode(der.SEQUENCE, algorithm, digest),
  );
  return (
    isSame(version, der.integer(1)) &&
    isSame(policy, policyOf("timestamp")) &&
    forms.some((form) => isSame(imprint, form)) &&
    isInteger(serial) &&
    (nonce === undefined || isInteger(nonce)) &&
    more.length === 0
  );
}

/** The SET that is signed: what kind of content, its digest, and by which certificate. */
export async function signedAttributes(info: Bytes, leaf: Certificate): Promise<Bytes> {
  const digest = der.encode(der.OCTET_STRING, await sha256Bytes(info));
  const certificate = der.encode(der.OCTET_STRING, await sha256Bytes(leaf.encoded));
  // SigningCertificateV2 { certs { ESSCertIDv2 { hash } } }; SHA-256 is the default and left out.
  const certificateId = [1, 2, 3].reduce((inner) => der.encode(der.SEQUENCE, inner), certificate);
  const attributes = [
    attribute(CONTENT_TYPE, TST_INFO),
    attribute(MESSAGE_DIGEST, digest),
    attribute(SIGNING_CERTIFICATE_V2, certificateId),
  ];
  return der.encode(der.SET, ...attributes.sort(der.compare));
}

function attribute(type: Bytes, value: Bytes): Bytes {
  return der.encode(der.SEQUENCE, type, der.encode(der.SET, value));
}

function isSame(found: der.Element | undefined, expected: Bytes): boolean {
  return found !== undefined && equalBytes(found.encoded, expected);
}

/** In as few bytes as hold its sign. */
function isInteger(found: der.Element | undefined): boolean {
  const [first, second] = found?.content ?? [];
  if (found?.tag !== der.INTEGER || first === undefined) return false;
  const isPadded =
    second !== undefined && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80);
  return !isPadded;
}
