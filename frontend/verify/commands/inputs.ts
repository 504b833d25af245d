// SPDX-License-Identifier: Apache-2.0
/** What a file is to a verifier: evidence, a pack of it, an acceptance, a trust root; or content. */
import { ACCEPTANCE_EVIDENCE_V1, type AcceptanceEvidence, parseAcceptance } from "../acceptance";
import type { Bytes, Json, JsonObject } from "../canonical";
import { asMapping, loads, MAX_BYTES, mapping } from "../canonical";
import { sha256 } from "../digests";
import { InvalidDocument } from "../errors";
import type { Evidence } from "../evidence";
import { EVIDENCE_V1, parseEvidence } from "../evidence";
import type { Pack } from "../pack";
import type { Policy, Proof as TlogProof } from "../tlog";
import { MAX_POLICY_BYTES, PROOF_V1, parsePolicy, parseProof } from "../tlog";
import type { TrustRoot } from "../trust";
import { parseTrustRoot, TRUST_ROOT_V1 } from "../trust";
import type { Beside } from "../verify/requirements";

const OPENING = /^\s*\{/;
/** Each line of a policy begins so, or says nothing. */
const POLICY_LINE = /^\s*(?:(?:log|witness|group|quorum)\s.*|#.*)?$/;
/** Of a bundle, an answer, evidence. */
const OWN_FIELDS = ["mediaType", "evidence", "type"];
const OPENAI_MEMBER = "assay";
const OPENAI_LISTS = ["choices", "data"];
const QUORUM = /^\s*quorum\s/m;

/** All that proves one artifact, and the text that it came with, if it came with one. */
export type Proof = {
  readonly evidence: Evidence;
  /** As it was read, to be handed on. */
  readonly document: JsonObject;
  readonly text: string | null;
  /** Of an output of a batch, where in it that is. */
  readonly placed: TlogProof | null;
  /** That it came in, if it came in one: then it is judged for the pack's own moment. */
  readonly pack: Pack | null;
  /** What else came with it to judge it by. */
  readonly beside: Partial<Beside>;
  /** Of that, the acceptances that were given to be of somebody who signed it. */
  readonly shown?: readonly AcceptanceEvidence[];
};
/** A reader's own policy of witnesses, and the digest by which people name it. */
export type NamedPolicy = { readonly policy: Policy; readonly sha256: string };
export type Input =
  | ({ readonly kind: "evidence" } & Proof)
  | { readonly kind: "trust"; readonly trust: TrustRoot; readonly policy: NamedPolicy | null }
  | { readonly kind: "policy"; readonly policy: NamedPolicy }
  | { readonly kind: "acceptance"; readonly acceptance: AcceptanceEvidence }
  | { readonly kind: "proof"; readonly placed: TlogProof }
  | { readonly kind: "content" };

/**
 * What these bytes are. Raises InvalidDocument for evidence or a trust root that is none after all:
 * whoever changed a byte of it is not told that it is something unknown.
 */
export async function inputOf(data: Bytes): Promise<Input> {
  const kind = kindOf(data);
  switch (kind) {
    case "content":
      return { kind };
    case "policy":
      return { kind, policy: await named(data) };
    case "acceptance":
      return { kind, acceptance: await parseAcceptance(loads(data)) };
    case "proof":
      return { kind, placed: parseProof(data) };
    case "evidence":
      return { kind, ...(await proofIn(asMapping(loads(data), "document"))) };
    case "trust":
      return { kind, ...(await trustIn(asMapping(loads(data), "document"))) };
  }
}

/** Evidence on its own, or within an answer of the API, whose text is nobody's word. */
export async function proofIn(document: JsonObject): Promise<Proof> {
  checkAlone(document);
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
    placed: null,
    pack: null,
    beside: {},
  };
}

/**
 * Refuse an answer for OpenAI's clients as a whole, in which the evidence is one member: the text
 * that such a client shows is another, and would not be compared.
 */
function checkAlone(document: JsonObject): void {
  if (OWN_FIELDS.some((name) => name in document)) return;
  const inner = OPENAI_LISTS.flatMap((name) => document[name] ?? []);
  if ([document, ...inner].some(hasMember)) {
    const found = `one for OpenAI's clients: save its member \`${OPENAI_MEMBER}\` by itself`;
    throw new InvalidDocument("document", "evidence, or an answer of a registry's own API", found);
  }
}

function hasMember(value: Json): boolean {
  return typeof value === "object" && value !== null && OPENAI_MEMBER in value;
}

/** Each artifact of a pack, to be judged by all that is in it. */
export function proofsIn(pack: Pack): readonly Proof[] {
  const { lists, answers, bases, texts, acceptances } = pack;
  const beside = { lists, answers, bases, texts, acceptances };
  return pack.artifacts.map(({ evidence, document, proof }) => {
    return { evidence, document, text: null, placed: proof, pack, beside };
  });
}

/** A trust root on its own, or a pin, which may name witnesses too. */
async function trustIn(
  document: JsonObject,
): Promise<{ readonly trust: TrustRoot; readonly policy: NamedPolicy | null }> {
  if (!("trust_root" in document)) return { trust: await parseTrustRoot(document), policy: null };
  const trust = await parseTrustRoot(mapping(document, "trust_root"));
  return { trust, policy: await pinned(document.policy) };
}

/** A pin keeps a policy as text, a character for each byte of its file. */
async function pinned(text: Json | undefined): Promise<NamedPolicy | null> {
  if (typeof text !== "string") return null;
  return named(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

async function named(data: Bytes): Promise<NamedPolicy> {
  return { policy: await parsePolicy(data), sha256: await sha256(data) };
}

function kindOf(data: Uint8Array): Input["kind"] {
  if (data.length > MAX_BYTES) return "content";
  const text = new TextDecoder().decode(data);
  if (text.startsWith(`${PROOF_V1}\n`)) return "proof";
  if (data.length <= MAX_POLICY_BYTES && isPolicy(text)) return "policy";
  if (!OPENING.test(text)) return "content";
  if (text.includes(EVIDENCE_V1)) return "evidence"; // whatever else a text in it speaks of
  if (text.includes(ACCEPTANCE_EVIDENCE_V1)) return "acceptance";
  return text.includes(TRUST_ROOT_V1) ? "trust" : "content";
}

function isPolicy(text: string): boolean {
  return QUORUM.test(text) && text.split("\n").every((line) => POLICY_LINE.test(line));
}
