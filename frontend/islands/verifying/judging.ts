// SPDX-License-Identifier: Apache-2.0
/** Judges a case: by which root, for which moment, which examination it takes, and what came of it. */
import type { NamedPolicy, Proof } from "../../verify/commands/inputs";
import { strangerOf } from "../../verify/commands/unpinned";
import { type Verdict, verdictOf } from "../../verify/commands/verdict";
import { MAX_LISTS } from "../../verify/crls";
import { asId } from "../../verify/digests";
import { VerificationError } from "../../verify/errors";
import type { Evidence } from "../../verify/evidence";
import type { OutputClaim } from "../../verify/statements/output";
import { type Examination, examineCheckpoint, examineOutput } from "../../verify/verify/artifacts";
import { examineBatched } from "../../verify/verify/batches";
import { examineEvaluation } from "../../verify/verify/evaluations";
import {
  type Grounds,
  groundsOf,
  newestSeen,
  type Requirements,
} from "../../verify/verify/requirements";
import type { Case } from "./case";
import { credentialsOf, type Found } from "./credentials";
import { manifestFiles } from "./finding";
import { isDigest, type Trust } from "./trust";

/** A case with what was found; without evidence there is nothing to be found. */
export type Judged = Case & {
  readonly trust: Trust;
  readonly judgement: Judgement | null;
  /** Why no step was taken, though there is evidence; null where they were. */
  readonly refusal: Refusal | null;
  /** What came of the C2PA manifest in the one file at hand; null where there is none. */
  readonly credentials: Found | null;
};
export type Judgement = {
  readonly evidence: Evidence;
  readonly examination: Examination;
  readonly verdict: Verdict;
  readonly requirements: Requirements;
};
/** A pack of a registry that nobody trusts here, without a moment, or with another policy. */
export type Refusal = {
  readonly kind: "stranger-pack" | "unwitnessed" | "other-policy";
  readonly detail: string;
};

const NO_MOMENT =
  "expected a policy of witnesses that you gave, or the digest of the one in the pack, found neither";

export async function judged(of: Case, trust: Trust, now: Date): Promise<Judged> {
  const found = { ...of, trust, judgement: null, refusal: null };
  const { proof } = of;
  if (proof === null) return { ...found, credentials: await manifestOf(of, trust, null) };
  const wanted = await demanded(proof, trust, now);
  if ("kind" in wanted) return { ...found, refusal: wanted, credentials: null };
  const { evidence } = proof;
  const grounds = groundsOf(trust.root, wanted, { ...proof.beside, lists: listsOf(proof, trust) });
  const examination = await examine(of, proof, grounds);
  const verdict = verdictOf(examination, evidence, trust.root);
  const claim = examination.parts.output?.claim.value ?? null;
  const credentials = claim === null ? null : await manifestOf(of, trust, claim);
  const judgement = { evidence, examination, verdict, requirements: wanted };
  return { ...found, judgement, credentials };
}

/** What has to hold: of a pack as of when witnesses saw it, of all else as of now. */
async function demanded(
  { evidence, pack }: Proof,
  { root, witnesses }: Trust,
  now: Date,
): Promise<Requirements | Refusal> {
  const policy = policyOf(pack?.policy ?? null, witnesses);
  const asOf = new Date(Math.floor(now.getTime() / 1000) * 1000);
  const acceptsExcerpt = true; // a reader is told so in the headline
  if (pack === null) return { asOf, policy: witnesses.given?.policy ?? null, acceptsExcerpt };
  if (policy === "other") {
    const found = pack.policy === null ? "none" : asId(pack.policy.sha256);
    return { kind: "other-policy", detail: found };
  }
  if (strangerOf(evidence, root) !== null) {
    return { kind: "stranger-pack", detail: asId(pack.trust.fingerprint) };
  }
  if (witnesses.isNow) return { asOf, policy, acceptsExcerpt };
  if (policy === null) return { kind: "unwitnessed", detail: NO_MOMENT };
  const notes = Object.values(evidence.bundles).map(({ proof }) => proof.note);
  try {
    return { asOf: await newestSeen(notes, root, policy), policy, acceptsExcerpt };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return { kind: "unwitnessed", detail: error.message };
  }
}

/** The reader's own policy, or the one in the pack if its digest is the one that they wrote. */
function policyOf(
  inPack: NamedPolicy | null,
  { given, digest }: Trust["witnesses"],
): NamedPolicy["policy"] | "other" | null {
  if (digest === "") return given?.policy ?? null;
  return inPack !== null && isDigest(digest, inPack.sha256) ? inPack.policy : "other";
}

/** The newest lists and those of a pack, as many as may stand beside the evidence's own. */
function listsOf({ evidence, beside }: Proof, { lists }: Trust): Grounds["lists"] {
  return [...lists, ...(beside.lists ?? [])].slice(0, MAX_LISTS - evidence.lists.length);
}

/** Of a checkpoint's files none is asked for; of media each is a case of its own. */
async function manifestOf(
  { items: [item, ...more], folder }: Case,
  { root }: Trust,
  claim: OutputClaim | null,
): Promise<Found | null> {
  if (item?.file === undefined || more.length > 0 || folder !== null) return null;
  return credentialsOf(item.file, root, claim);
}

function examine({ items, folder }: Case, proof: Proof, grounds: Grounds): Promise<Examination> {
  const { evidence, placed } = proof;
  const { output, evaluation } = evidence.bundles;
  const content = items[0]?.content ?? null;
  if (placed !== null) return examineBatched(evidence, placed, grounds, content);
  if (output !== undefined) return examineOutput(evidence, grounds, content);
  const some = items.map(({ name, content: { sha256 } }) => ({ name, sha256 }));
  const single = some.length > 0 ? some : null;
  const files = folder === null ? single : { files: manifestFiles(items) };
  if (evaluation !== undefined) return examineEvaluation(evidence, grounds, files);
  return examineCheckpoint(evidence, grounds, files);
}
