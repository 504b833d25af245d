// SPDX-License-Identifier: Apache-2.0
/** DSSE v1: a payload and one P-256 signature over it and its type. */
import type { Bytes, Json, JsonObject } from "./canonical";
import { asMapping, base64Bytes, dumps, literal, only, single, within } from "./canonical";
import { ecdsaFromDer } from "./der";
import { concat, toBase64 } from "./digests";
import { VerificationError } from "./errors";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const P256_BYTES = 32;

export type Envelope = { readonly payload: Bytes; readonly signature: Bytes };

/** DSSE's pre-authentication encoding: what the signature is really over. */
export function pae(payload: Bytes): Bytes {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  return concat(new TextEncoder().encode(head), payload);
}

/** Read the JSON form: this payload type, exactly one signature, no key id. Raises InvalidDocument. */
export function parseEnvelope(value: Json): Envelope {
  const document = asMapping(value, "envelope");
  only(document, "payload", "payloadType", "signatures");
  literal(document, "payloadType", PAYLOAD_TYPE);
  const signature = within("signatures[0]", () => {
    const inner = asMapping(single(document, "signatures"), "signature");
    only(inner, "keyid", "sig");
    // Absent and empty are one in protobuf's JSON; whose key it is, the certificate says.
    if ("keyid" in inner) literal(inner, "keyid", "");
    return base64Bytes(inner, "sig");
  });
  return { payload: base64Bytes(document, "payload"), signature };
}

export function envelopeJson(envelope: Envelope): JsonObject {
  return {
    payload: toBase64(envelope.payload),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ keyid: "", sig: toBase64(envelope.signature) }],
  };
}

export function canonicalEnvelope(envelope: Envelope): Bytes {
  return dumps(envelopeJson(envelope));
}

/** Raise VerificationError (bad-signature) unless the key made this signature. */
export async function verifyEnvelope(envelope: Envelope, publicKey: CryptoKey): Promise<void> {
  const raw = ecdsaFromDer(envelope.signature, P256_BYTES);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const message = pae(envelope.payload);
  if (raw === null || !(await crypto.subtle.verify(algorithm, publicKey, raw, message))) {
    throw new VerificationError(
      "bad-signature",
      "expected the signature of the certificate's key over this statement; it is not",
    );
  }
}
