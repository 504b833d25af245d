// SPDX-License-Identifier: Apache-2.0
/** RFC 3161 timestamps: checking one of our own narrow form against the pinned root. */
import type { Bytes } from "./canonical";
import type { Certificate, Chain } from "./certificates";
import { parseChain, publicKeyOf } from "./certificates";
import { verifyChain } from "./chains";
import type { Element } from "./der";
import * as der from "./der";
import { equalBytes, sha256Bytes } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import type { Token } from "./tokens";
import { GRANTED, granted, isInfo, SIGNED_DATA, signedAttributes, TST_INFO } from "./tokens";

const MAX_RESPONSE_BYTES = 64 * 1024;
const P256_BYTES = 32;
const CONTEXT_0 = 0xa0;

/** Whose timestamps count: under which root, and which URI they are certified under. */
export type Authority = { readonly root: Certificate; readonly uri: string };

/** The URI that a registry's timestamp authority is certified under; it is permanent. */
export function authorityOf(registry: string): string {
  return `${registry}/timestamp`;
}

/**
 * Check a response over `data` by this authority and return the time it proves.
 *
 * 1. It is a granted response of our form: built again from its parts, it is the same bytes.
 * 2. Its imprint is the SHA-256 of `data`.
 * 3. Its signed attributes name this content and this leaf certificate (RFC 5816).
 * 4. The leaf's key signed them.
 * 5. The chain holds under `root`, for timestamps, at the time it states (RFC 3161, 2.3).
 * 6. Its leaf is the authority's: nobody else's is asked what time it is.
 */
export async function verifyTimestamp(
  response: Bytes,
  data: Bytes,
  { root, uri }: Authority,
): Promise<Date> {
  const token = parseResponse(response);
  const { info, chain } = token;
  if (!equalBytes(granted(token), response)) {
    throw bad("expected a response without unsigned parts, found some"); // 1
  }
  if (!isInfo(info, await sha256Bytes(data))) {
    throw bad("expected a timestamp of our policy over these bytes, found another"); // 2
  }
  const expected = await signedAttributes(info, chain.leaf);
  if (!equalBytes(token.signedAttributes, expected)) {
    throw bad("expected signed attributes for this content and this certificate"); // 3
  }
  const key = await publicKeyOf(chain.leaf);
  const raw = der.ecdsaFromDer(token.signature, P256_BYTES);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  if (raw === null || !(await crypto.subtle.verify(algorithm, key, raw, expected))) {
    throw bad("expected a signature by the timestamp's own certificate"); // 4
  }
  const at = timeIn(info);
  const found = await verifyChain(chain, { root, purpose: "timestamp", at }); // 5
  if (found !== uri) throw bad(`expected a timestamp of ${uri}, found one of ${found}`); // 6
  return at;
}

/** The certificates of the authority that answered; nothing is judged here. */
export function timestampChain(response: Bytes): Chain {
  return parseResponse(response).chain;
}

/** As much as is needed to build it again, which says whether the rest is as it must be. */
function parseResponse(response: Bytes): Token {
  if (response.length > MAX_RESPONSE_BYTES) throw malformed();
  const [status, content] = inside(whole(response, der.SEQUENCE));
  if (status === undefined || !equalBytes(status.encoded, GRANTED)) {
    throw bad("expected a granted timestamp, found another status");
  }
  const [type, wrapped] = inside(content);
  expectBytes(type, SIGNED_DATA);
  const [, , encapsulated, certificates, signers] = inside(inside(wrapped, CONTEXT_0)[0]);
  const [kind, holder] = inside(encapsulated);
  expectBytes(kind, TST_INFO);
  const [, , , attributes, , signature] = inside(inside(signers, der.SET)[0]);
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
    const isInOrder = equalBytes(chain.leaf.issuer, chain.intermediate.subject);
    return isInOrder ? chain : { leaf: chain.intermediate, intermediate: chain.leaf };
  } catch (error) {
    throw error instanceof InvalidDocument ? bad(error.message) : error;
  }
}

/** In whole seconds; it is the fifth field of a TSTInfo. */
function timeIn(info: Bytes): Date {
  const genTime = inside(whole(info, der.SEQUENCE))[4];
  const at = genTime?.tag === der.GENERALIZED_TIME ? der.readTime(genTime) : null;
  if (at === null) throw bad("expected a time in whole seconds, found another");
  return at;
}

function whole(data: Bytes, tag: number): Element {
  const found = der.whole(data, tag);
  if (found === null) throw malformed();
  return found;
}

function inside(found: Element | undefined, tag = der.SEQUENCE): readonly Element[] {
  const parts = der.inside(found, tag);
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
