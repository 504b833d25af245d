// SPDX-License-Identifier: Apache-2.0
/** What a file is to a verifier: evidence, an answer that brings its own, a trust root; or content. */
import type { Bytes, JsonObject } from "../canonical";
import { asMapping, loads, MAX_BYTES, mapping } from "../canonical";
import { InvalidDocument } from "../errors";
import type { Evidence } from "../evidence";
import { EVIDENCE_V1, parseEvidence } from "../evidence";
import type { TrustRoot } from "../trust";
import { parseTrustRoot, TRUST_ROOT_V1 } from "../trust";

const OPENING = /^\s*\{/;

/** All that proves one artifact, and the text that it came with, if it came with one. */
export type Proof = {
  readonly evidence: Evidence;
  /** As it was read, to be handed on. */
  readonly document: JsonObject;
  readonly text: string | null;
};
export type Input =
  | ({ readonly kind: "evidence" } & Proof)
  | { readonly kind: "trust"; readonly trust: TrustRoot }
  | { readonly kind: "content" };

/**
 * What these bytes are. Raises InvalidDocument for evidence or a trust root that is none after all:
 * whoever changed a byte of it is not told that it is something unknown.
 */
export async function inputOf(data: Bytes): Promise<Input> {
  const kind = kindOf(data);
  if (kind === "content") return { kind };
  const document = asMapping(loads(data), "document");
  if (kind === "evidence") return { kind, ...(await proofIn(document)) };
  const stated = "trust_root" in document ? mapping(document, "trust_root") : document; // a pin
  return { kind, trust: await parseTrustRoot(stated) };
}

/** Evidence on its own, or within an answer of the API, whose text is nobody's word. */
export async function proofIn(document: JsonObject): Promise<Proof> {
  const isAnswer = "evidence" in document;
  if (isAnswer && document.evidence === null) {
    throw new InvalidDocument("evidence", "the evidence of a checkpoint that is there", "null");
  }
  const stated = isAnswer ? mapping(document, "evidence") : document;
  const read = await parseEvidence(stated);
  const { text } = document;
  return {
    evidence: read,
    document: stated,
    text: isAnswer && typeof text === "string" ? text : null,
  };
}

function kindOf(data: Uint8Array): Input["kind"] {
  if (data.length > MAX_BYTES) return "content";
  const text = new TextDecoder().decode(data);
  if (!OPENING.test(text)) return "content";
  if (text.includes(EVIDENCE_V1)) return "evidence";
  return text.includes(TRUST_ROOT_V1) ? "trust" : "content";
}
