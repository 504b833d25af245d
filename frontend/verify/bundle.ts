// SPDX-License-Identifier: Apache-2.0
/** One signed statement with its certificates, timestamp and ledger proof: a Sigstore bundle v0.3. */
import type { Bytes, Json, JsonObject } from "./canonical";
import {
  asMapping,
  base64Bytes,
  dumps,
  items,
  literal,
  mapping,
  only,
  single,
  text,
  within,
} from "./canonical";
import type { Certificate, Chain } from "./certificates";
import { parseChain, pemOf } from "./certificates";
import { fromHex, sha256, toBase64 } from "./digests";
import type { Envelope } from "./envelope";
import { canonicalEnvelope, pae, parseEnvelope } from "./envelope";
import { InvalidDocument } from "./errors";

const MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MAX_PROOF_HASHES = 64;
const MAX_NOTE_CHARACTERS = 64 * 1024; // as a note has: sixteen signatures, each ML-DSA-44
const HASH_BYTES = 32;

/** The form of a ledger entry; readers read both (docs/spec/sigstore.md). */
export const ENTRY_KINDS = ["dsse/0.0.1", "hashedrekord/0.0.2"] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export type LedgerProof = {
  readonly logId: Bytes;
  readonly index: number;
  readonly size: number;
  readonly root: Bytes;
  readonly hashes: readonly Bytes[];
  readonly note: string;
};

/** All that a verifier needs for one statement, but for the root it trusts. */
export type Bundle = {
  readonly envelope: Envelope;
  readonly chain: Chain;
  /** A TimeStampResp over the envelope's signature bytes. */
  readonly timestamp: Bytes;
  readonly proof: LedgerProof;
  /** The ledger entry as stated. */
  readonly entry: Bytes;
  /** The form that the entry is stated to have. */
  readonly kind: EntryKind;
};

/** Read the JSON form (docs/spec/formats.md, section 5). Raises InvalidDocument. */
export function parseBundle(value: Json): Bundle {
  const document = asMapping(value, "bundle");
  only(document, "mediaType", "verificationMaterial", "dsseEnvelope");
  literal(document, "mediaType", MEDIA_TYPE);
  const envelope = within("dsseEnvelope", () => parseEnvelope(mapping(document, "dsseEnvelope")));
  const material = mapping(document, "verificationMaterial");
  return within("verificationMaterial", () => {
    only(material, "x509CertificateChain", "tlogEntries", "timestampVerificationData");
    const entry = asMapping(single(material, "tlogEntries"), "tlogEntries");
    return {
      envelope,
      chain: chainOf(mapping(material, "x509CertificateChain")),
      timestamp: timestampOf(mapping(material, "timestampVerificationData")),
      proof: within("tlogEntries[0]", () => proofOf(entry)),
      entry: base64Bytes(entry, "canonicalizedBody"),
      kind: within("tlogEntries[0]", () => kindOf(mapping(entry, "kindVersion"))),
    };
  });
}

/** Whether a document that was read stands as it would be written again. */
export function isWritten(document: JsonObject): boolean {
  return hasKeyId(mapping(document, "dsseEnvelope"));
}

/** Whether an envelope names its key, by nothing: absent and empty are one, and one is written. */
export function hasKeyId(envelope: JsonObject): boolean {
  return "keyid" in mapping({ "": single(envelope, "signatures") }, "");
}

/** The ledger entry that belongs to an envelope: Rekor's canonical body of this form. */
export async function ledgerLeaf(
  envelope: Envelope,
  leaf: Certificate,
  kind: EntryKind,
): Promise<Bytes> {
  return kind === "dsse/0.0.1" ? await dsseBody(envelope, leaf) : await hashedBody(envelope, leaf);
}

async function dsseBody(envelope: Envelope, leaf: Certificate): Promise<Bytes> {
  const verifier = toBase64(new TextEncoder().encode(pemOf(leaf)));
  return dumps({
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: {
      envelopeHash: await digestOf(canonicalEnvelope(envelope)),
      payloadHash: await digestOf(envelope.payload),
      signatures: [{ signature: toBase64(envelope.signature), verifier }],
    },
  });
}

async function hashedBody(envelope: Envelope, leaf: Certificate): Promise<Bytes> {
  const digest = toBase64(fromHex(await sha256(pae(envelope.payload))));
  const x509Certificate = { rawBytes: toBase64(leaf.encoded) };
  const verifier = { keyDetails: "PKIX_ECDSA_P256_SHA_256", x509Certificate };
  const signature = { content: toBase64(envelope.signature), verifier };
  const data = { algorithm: "SHA2_256", digest };
  return dumps({
    apiVersion: "0.0.2",
    kind: "hashedrekord",
    spec: { hashedRekordV002: { data, signature } },
  });
}

async function digestOf(data: Bytes): Promise<JsonObject> {
  return { algorithm: "sha256", value: await sha256(data) };
}

function chainOf(from: JsonObject): Chain {
  return within("x509CertificateChain", () => {
    only(from, "certificates");
    const ders = items(from, "certificates").map((value) => {
      const certificate = asMapping(value, "certificates");
      only(certificate, "rawBytes");
      return base64Bytes(certificate, "rawBytes");
    });
    return parseChain(ders);
  });
}

function timestampOf(from: JsonObject): Bytes {
  return within("timestampVerificationData", () => {
    only(from, "rfc3161Timestamps");
    const timestamp = asMapping(single(from, "rfc3161Timestamps"), "rfc3161Timestamps");
    only(timestamp, "signedTimestamp");
    return base64Bytes(timestamp, "signedTimestamp");
  });
}

function proofOf(entry: JsonObject): LedgerProof {
  only(entry, "logIndex", "logId", "kindVersion", "inclusionProof", "canonicalizedBody");
  const logId = mapping(entry, "logId");
  only(logId, "keyId");
  const inclusion = mapping(entry, "inclusionProof");
  const proof = within("inclusionProof", () => inclusionOf(inclusion));
  literal(entry, "logIndex", String(proof.index));
  return { logId: hash(logId, "keyId"), ...proof };
}

function kindOf(from: JsonObject): EntryKind {
  only(from, "kind", "version");
  const stated = `${text(from, "kind")}/${text(from, "version")}`;
  const found = ENTRY_KINDS.find((kind) => kind === stated);
  if (found === undefined) {
    throw new InvalidDocument("kindVersion", ENTRY_KINDS.join(" or "), stated.slice(0, 80));
  }
  return found;
}

function inclusionOf(from: JsonObject): Omit<LedgerProof, "logId"> {
  only(from, "logIndex", "rootHash", "treeSize", "hashes", "checkpoint");
  const note = mapping(from, "checkpoint");
  only(note, "envelope");
  return {
    index: u64(from, "logIndex"),
    size: u64(from, "treeSize"),
    root: hash(from, "rootHash"),
    hashes: items(from, "hashes", MAX_PROOF_HASHES).map((value) =>
      hash({ hashes: value }, "hashes"),
    ),
    note: text(note, "envelope", MAX_NOTE_CHARACTERS),
  };
}

/** Protobuf's JSON writes 64-bit integers as strings. */
function u64(from: JsonObject, field: string): number {
  const value = text(from, field);
  if (!/^(0|[1-9][0-9]{0,15})$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw new InvalidDocument(field, "an integer, written as a string", value.slice(0, 80));
  }
  return Number(value);
}

function hash(from: JsonObject, field: string): Bytes {
  const value = base64Bytes(from, field);
  if (value.length !== HASH_BYTES) {
    throw new InvalidDocument(field, `${HASH_BYTES} bytes`, String(value.length));
  }
  return value;
}
