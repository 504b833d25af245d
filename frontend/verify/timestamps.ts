// SPDX-License-Identifier: Apache-2.0
/** RFC 3161 timestamps: checking one of our own narrow form against the pinned root. */
import type { Bytes } from "./canonical";
import type { Certificate, Chain } from "./certificates";
import { derOf, parseChain, publicKeyOf, verifyChain } from "./certificates";
import type { Element } from "./der";
import * as der from "./der";
import { equalBytes, fromHex, sha256Bytes } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";

const MAX_RESPONSE_BYTES = 64 * 1024;
const P256_BYTES = 32;
// The objects that a token names, in DER (RFC 5652, RFC 3161, RFC 5816, FIPS 180-4).
const SIGNED_DATA = fromHex("06092a864886f70d010702");
const TST_INFO = fromHex("060b2a864886f70d0109100104");
const CONTENT_TYPE = fromHex("06092a864886f70d010903");
const MESSAGE_DIGEST = fromHex("06092a864886f70d010904");
const SIGNING_CERTIFICATE_V2 = fromHex("060b2a864886f70d010910022f");
const SHA_256 = fromHex("0609608648016503040201");
const INTEGER_1 = fromHex("020101");
const GRANTED = fromHex("020100");
const CONTEXT_0 = 0xa0;

type Token = {
  /** The TSTInfo: what is signed. */
  readonly info: Bytes;
  readonly signedAttributes: Bytes;
  readonly signature: Bytes;
  readonly chain: Chain;
};

/**
 * Check a response over `data` and return the time it proves.
 *
 * 1. It is a granted response of our form.
 * 2. Its imprint is the SHA-256 of `data`.
 * 3. Its signed attributes name this content and this leaf certificate (RFC 5816).
 * 4. The leaf's key signed them.
 * 5. The chain holds under `root`, for timestamps, at the time it states (RFC 3161, 2.3).
 */
export async function verifyTimestamp(
  response: Bytes,
  data: Bytes,
  root: Certificate,
): Promise<Date> {
  const token = parseResponse(response); // 1
  const { at, imprint } = readInfo(token.info);
  if (!equalBytes(imprint, await sha256Bytes(data))) {
    throw bad("expected a timestamp over these bytes, found one over others"); // 2
  }
  const expected = await signedAttributes(token.info, token.chain.leaf);
  if (!equalBytes(token.signedAttributes, expected)) {
    throw bad("expected signed attributes for this content and this certificate"); // 3
  }
  const key = await publicKeyOf(token.chain.leaf);
  const raw = der.ecdsaFromDer(token.signature, P256_BYTES);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  if (raw === null || !(await crypto.subtle.verify(algorithm, key, raw, expected))) {
    throw bad("expected a signature by the timestamp's own certificate"); // 4
  }
  await verifyChain(token.chain, { root, purpose: "timestamp", at }); // 5
  return at;
}

/** The certificates of the authority that answered; nothing is judged here. */
export function timestampChain(response: Bytes): Chain {
  return parseResponse(response).chain;
}

function parseResponse(response: Bytes): Token {
  if (response.length > MAX_RESPONSE_BYTES) throw malformed();
  const [status, content] = inside(whole(response, der.SEQUENCE));
  const [granted] = inside(status);
  if (granted === undefined || !equalBytes(granted.encoded, GRANTED)) {
    throw bad("expected a granted timestamp, found another status");
  }
  const [type, wrapped] = inside(content);
  expectBytes(type, SIGNED_DATA);
  const [, , encapsulated, certificates, signers] = inside(inside(wrapped, CONTEXT_0)[0]);
  const [kind, holder] = inside(encapsulated);
  expectBytes(kind, TST_INFO);
  const [signer, ...others] = inside(signers, der.SET);
  if (others.length > 0) throw malformed();
  const [, , , attributes, , signature] = inside(signer);
  if (attributes?.tag !== CONTEXT_0 || signature?.tag !== der.OCTET_STRING) throw malformed();
  return {
    info: octets(inside(holder, CONTEXT_0)[0]),
    // Signed as a SET, sent with an implicit tag (RFC 5652, 5.4).
    signedAttributes: der.encode(der.SET, attributes.content),
    signature: signature.content,
    chain: chainOf(inside(certificates, CONTEXT_0)),
  };
}

/** A DER set has no order of its own: the leaf is the one that the other issued. */
function chainOf(certificates: readonly Element[]): Chain {
  try {
    const chain = parseChain(certificates.map(({ encoded }) => encoded));
    const isInOrder = chain.leaf.issuer === chain.intermediate.subject;
    return isInOrder ? chain : { leaf: chain.intermediate, intermediate: chain.leaf };
  } catch (error) {
    throw error instanceof InvalidDocument ? bad(error.message) : error;
  }
}

/** When, and the SHA-256 of what; every field is under the signature. */
function readInfo(info: Bytes): { at: Date; imprint: Bytes } {
  const [version, , messageImprint, , genTime] = inside(whole(info, der.SEQUENCE));
  expectBytes(version, INTEGER_1);
  const [algorithm, hashed] = inside(messageImprint);
  expectBytes(inside(algorithm)[0], SHA_256);
  if (genTime?.tag !== der.GENERALIZED_TIME) throw malformed();
  const written = new TextDecoder().decode(genTime.content);
  const at = new Date(
    written.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (Number.isNaN(at.getTime())) throw bad("expected a time in whole seconds, found another");
  return { at, imprint: octets(hashed) };
}

/** The SET that is signed: what kind of content, its digest, and by which certificate. */
async function signedAttributes(info: Bytes, leaf: Certificate): Promise<Bytes> {
  const digest = der.encode(der.OCTET_STRING, await sha256Bytes(info));
  const certificate = der.encode(der.OCTET_STRING, await sha256Bytes(derOf(leaf)));
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

function whole(data: Bytes, tag: number): Element {
  const found = der.element(data);
  if (found?.tag !== tag || found.end !== data.length) throw malformed();
  return found;
}

function inside(found: Element | undefined, tag = der.SEQUENCE): readonly Element[] {
  const parts = found?.tag === tag ? der.elements(found.content) : null;
  if (parts === null) throw malformed();
  return parts;
}

function octets(found: Element | undefined): Bytes {
  if (found?.tag !== der.OCTET_STRING) throw malformed();
  return found.content;
}

function expectBytes(found: Element | undefined, expected: Bytes): void {
  if (found === undefined || !equalBytes(found.encoded, expected)) throw malformed();
}

function malformed(): VerificationError {
  return bad("expected a TimeStampResp in DER, found other bytes");
}

function bad(message: string): VerificationError {
  return new VerificationError("bad-timestamp", message);
}
