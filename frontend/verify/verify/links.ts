// SPDX-License-Identifier: Apache-2.0
/**
 * The links between parts, each a comparison of digests that stands or falls for itself.
 *
 * A check returns what it established and says it in words, or throws why the link does not hold.
 */
import type { JsonObject } from "../canonical";
import { dumps } from "../canonical";
import { asId, sha256 } from "../digests";
import { VerificationError } from "../errors";
import type { Excerpt, LineList } from "../excerpts";
import { findExcerpt, inWords, linesSha256 } from "../excerpts";
import type { Manifest, SomeFile } from "../manifest";
import { differences, manifestId } from "../manifest";
import type { ModelSignature, Resource } from "../oms";
import { resourcesOf, rootDigest } from "../oms";
import type { Signatory } from "../pseudonyms";
import { knownAs } from "../pseudonyms";
import type { CheckpointClaim } from "../statements/checkpoint";
import type { ConductClaim } from "../statements/conduct";
import type { DatasetClaim } from "../statements/dataset";
import type { EvaluationClaim, WithdrawalClaim } from "../statements/evaluation";
import type { OutputClaim } from "../statements/output";
import type { ConductReference, ListReference } from "../statements/references";
import type { RunClaim } from "../statements/run";
import type { TakedownClaim } from "../statements/takedown";
import type { TensorList } from "../tensors";
import { tensorDifferences, tensorsSha256 } from "../tensors";
import type { Compared, Content, Established } from "./report";

/**
 * The content is what was signed, to the byte or but for what copying changes.
 *
 * Or an excerpt of it, by the lines that are `stated`, where that is accepted.
 */
export async function text(
  claim: OutputClaim,
  content: Content,
  stated: LineList | null,
  acceptsExcerpt: boolean,
): Promise<Established<Compared>> {
  if (content.sha256 === claim.exactSha256) {
    return [{ match: "identical", excerpt: null }, `identical, ${asId(content.sha256)}`];
  }
  if (claim.normalisedSha256 !== null && content.normalisedSha256 === claim.normalisedSha256) {
    const words = "same after normalising: not the very bytes that were signed";
    return [{ match: "same after normalising", excerpt: null }, words];
  }
  const excerpt = await excerptOf(claim, content, stated);
  if (excerpt !== null && acceptsExcerpt) {
    const words = `an excerpt, ${inWords(excerpt)}: not the whole text as it was signed`;
    return [{ match: "excerpt", excerpt }, words];
  }
  const asked =
    excerpt === null ? "" : `; it is an excerpt, ${inWords(excerpt)}, which nobody asked for`;
  throw new VerificationError(
    "text-mismatch",
    `expected ${asId(claim.exactSha256)}, found ${asId(content.sha256)}, ` +
      `which is not the same after normalising either${asked}`,
  );
}

async function excerptOf(
  { lines }: OutputClaim,
  { text: given }: Content,
  stated: LineList | null,
): Promise<Excerpt | null> {
  if (lines === null || stated === null || typeof given !== "string") return null;
  if ((await linesSha256(stated)) !== lines.sha256) return null; // `outputLines` says so
  return findExcerpt(stated, given);
}

/** The list of lines in the evidence is the one that the output names. */
export async function outputLines(
  { lines: named }: OutputClaim,
  stated: LineList,
): Promise<Established<LineList>> {
  if (named === null) {
    throw broken("expected no lines, as the output names none; found a list of them");
  }
  sameList("lines", named, { sha256: await linesSha256(stated), count: stated.length });
  return [stated, asId(named.sha256)];
}

/** The files at hand are those of the manifest, all of them and no others. */
export function files(signed: Manifest, observed: Manifest): Established<Manifest> {
  const found = differences(signed, observed);
  if (found !== "") {
    const message = `expected the files that were signed, found ${found}`;
    throw new VerificationError("file-mismatch", message);
  }
  const size = signed.files.reduce((sum, file) => sum + file.size, 0);
  return [observed, `${signed.files.length} files, ${size} bytes`];
}

/** Each file at hand is one of the manifest's, whatever it is called here; of others nothing is said. */
export function someFiles(
  signed: Manifest,
  observed: readonly SomeFile[],
): Established<readonly SomeFile[]> {
  const names = new Map(signed.files.map(({ name, sha256: digest }) => [digest, name]));
  const others = observed.filter((file) => !names.has(file.sha256));
  if (others.length > 0) {
    const found = others.map((file) => `${file.name} (${asId(file.sha256)})`).join(", ");
    const message = `expected files that were signed, found ${found}`;
    throw new VerificationError("file-mismatch", message);
  }
  const known = new Set(observed.map((file) => names.get(file.sha256)));
  const listed = [...known].join(", ");
  return [observed, `${known.size} of ${signed.files.length} files: ${listed}`];
}

/** The tensors in the files at hand are those that the checkpoint names. */
export async function tensors(
  claim: CheckpointClaim,
  stated: TensorList | null,
  observed: TensorList,
): Promise<Established<TensorList>> {
  const named = namedTensors(claim);
  const digest = await tensorsSha256(observed);
  if (named.count !== observed.length || named.sha256 !== digest) {
    const found = (stated && tensorDifferences(stated, observed)) || asId(digest);
    const expected = `expected the ${named.count} tensors that were signed, ${asId(named.sha256)}`;
    throw new VerificationError("file-mismatch", `${expected}, found ${found}`);
  }
  return [observed, `${named.count} tensors`];
}

/** The list of tensors in the evidence is the one that the checkpoint names. */
export async function checkpointTensors(
  claim: CheckpointClaim,
  stated: TensorList,
): Promise<Established<TensorList>> {
  const named = namedTensors(claim);
  sameList("tensors", named, { sha256: await tensorsSha256(stated), count: stated.length });
  return [stated, asId(named.sha256)];
}

function namedTensors({ tensors: named }: CheckpointClaim): ListReference {
  if (named === null) {
    throw broken("expected no tensors, as the checkpoint names none; found a list of them");
  }
  return named;
}

/** The files at hand have the names and digests that a model signature lists. */
export function modelFiles(
  signed: ModelSignature,
  observed: Manifest,
): Established<ModelSignature> {
  const said = signed.resources.map(inLine);
  const found = resourcesOf(observed).map(inLine);
  if (said.join("\n") !== found.join("\n")) {
    const names = [...without(signed.resources, found), ...without(resourcesOf(observed), said)];
    const listed = [...new Set(names)].sort().join(", ");
    const message = `expected the files that were signed, found differences in ${listed}`;
    throw new VerificationError("file-mismatch", message);
  }
  return [signed, `${signed.resources.length} files`];
}

/** No name holds a line feed (manifest.ts, `checkName`). */
function inLine({ name, sha256 }: Resource): string {
  return `${sha256} ${name}`;
}

function without(resources: readonly Resource[], lines: readonly string[]): readonly string[] {
  const known = new Set(lines);
  return resources.filter((each) => !known.has(inLine(each))).map(({ name }) => name);
}

/** The evaluation is of this checkpoint, and names this statement about it. */
export function evaluationCheckpoint(
  claim: EvaluationClaim,
  checkpoint: CheckpointClaim,
  statementSha256: string,
): Established<EvaluationClaim> {
  sameCheckpoint(claim, checkpoint, statementSha256);
  return [claim, `of ${checkpoint.project}@${checkpoint.name}`];
}

function sameCheckpoint(
  claim: OutputClaim | TakedownClaim | EvaluationClaim,
  checkpoint: CheckpointClaim,
  statementSha256: string,
): void {
  same("checkpoint", claim.checkpointSha256, checkpoint.manifestSha256);
  same("checkpoint statement", claim.checkpointStatementSha256, statementSha256);
}

/** The withdrawal names this evaluation, and is by whoever made it: nobody else takes it back. */
export function withdrawalEvaluation(
  claim: WithdrawalClaim,
  statementSha256: string,
  { saidBy, signer }: { readonly saidBy: Signatory; readonly signer: Signatory },
): Established<WithdrawalClaim> {
  same("evaluation's statement", claim.evaluationSha256, statementSha256);
  if (knownAs(signer) !== knownAs(saidBy)) {
    const expected = `expected a withdrawal by ${knownAs(saidBy)}, who evaluated`;
    throw broken(`${expected}, found one by ${knownAs(signer)}`);
  }
  return [claim, `${asId(statementSha256)}, by the same signer`];
}

/** The output names this checkpoint, and this statement about it. */
export function outputCheckpoint(
  claim: OutputClaim,
  checkpoint: CheckpointClaim,
  statementSha256: string,
): Established<string> {
  sameCheckpoint(claim, checkpoint, statementSha256);
  const name = `${checkpoint.project}@${checkpoint.name}`;
  return [name, `made from ${name}`];
}

/** The takedown names this checkpoint, and this statement about it. */
export function takedownCheckpoint(
  claim: TakedownClaim,
  checkpoint: CheckpointClaim,
  statementSha256: string,
): Established<TakedownClaim> {
  sameCheckpoint(claim, checkpoint, statementSha256);
  return [claim, `${checkpoint.project}@${checkpoint.name} was taken down`];
}

/**
 * The model signature at hand is over the root that the checkpoint names, by its signer.
 *
 * Anybody may sign anybody's files as a model; beside a checkpoint that is no word about it.
 */
export function modelCheckpoint(
  claim: CheckpointClaim,
  model: ModelSignature,
  { owner, signer }: { owner: Signatory; signer: Signatory },
): Established<ModelSignature> {
  same("model signature's root", claim.omsSha256, model.rootSha256);
  if (knownAs(signer) !== knownAs(owner)) {
    const expected = `expected a model signature by ${knownAs(owner)}, who signed the checkpoint`;
    throw broken(`${expected}, found one by ${knownAs(signer)}`);
  }
  return [model, asId(model.rootSha256)];
}

/** The checkpoint's id is the digest of this manifest. */
export async function checkpointManifest(
  claim: CheckpointClaim,
  manifest: Manifest,
): Promise<Established<string>> {
  const id = await manifestId(manifest);
  same("manifest", claim.manifestSha256, id);
  return [id, asId(id)];
}

/** The checkpoint was published by the registry whose root is pinned. */
export function checkpointRegistry(claim: CheckpointClaim, registry: string): Established<string> {
  if (claim.registry !== registry) {
    throw broken(`expected the registry ${registry}, found ${claim.registry}`);
  }
  return [registry, registry];
}

/** The model signature beside the files is over these files. */
export async function checkpointOms(
  claim: CheckpointClaim,
  manifest: Manifest,
): Promise<Established<string>> {
  const root = await rootDigest(manifest);
  same("model signature's root", claim.omsSha256, root);
  return [root, asId(root)];
}

/** The checkpoint names this run, and the run says that it made this checkpoint. */
export function checkpointRun(
  claim: CheckpointClaim,
  run: RunClaim,
  statementSha256: string,
): Established<RunClaim> {
  if (claim.run === null) {
    throw broken("expected no run, as the checkpoint names none; found one");
  }
  same("run statement", claim.run.statementSha256, statementSha256);
  same("checkpoint made by the run", claim.manifestSha256, run.manifestSha256);
  if (claim.run.id !== run.run || claim.step !== run.step) {
    const expected = `expected run ${claim.run.id} at step ${claim.step}`;
    throw broken(`${expected}, found ${run.run} at step ${run.step}`);
  }
  return [run, `made by run ${run.run} at step ${run.step}`];
}

/** The dataset that a checkpoint or a run names is this one. */
export function dataset(namedSha256: string | null, found: DatasetClaim): Established<string> {
  if (namedSha256 === null) throw broken("expected no dataset, as none is named; found one");
  same("dataset", namedSha256, found.manifestSha256);
  return [found.manifestSha256, asId(found.manifestSha256)];
}

/** The conduct policy that an output, a checkpoint or a run is under is this one. */
export function conduct(named: ConductReference, found: ConductClaim): Established<string> {
  if (named.id !== found.conduct.id || named.version !== found.conduct.version) {
    const expected = `expected conduct ${named.id} version ${named.version}`;
    throw broken(`${expected}, found ${found.conduct.id} version ${found.conduct.version}`);
  }
  same("conduct policy", named.sha256, found.conduct.sha256);
  return [named.sha256, `${named.id} ${named.version}`];
}

/** The policy document at hand is the one that came into effect. */
export async function policy(
  claim: ConductClaim,
  document: JsonObject,
): Promise<Established<string>> {
  const digest = await sha256(dumps(document));
  same("policy document", claim.conduct.sha256, digest);
  return [digest, asId(digest)];
}

function sameList(of: string, named: ListReference, found: ListReference): void {
  same(`list of ${of}`, named.sha256, found.sha256);
  if (named.count !== found.count) {
    throw broken(`expected ${named.count} ${of}, found ${found.count}`);
  }
}

/** Raise broken-link where two digests of one thing are not the same. */
export function same(what: string, expected: string, found: string): void {
  if (expected !== found)
    throw broken(`expected the ${what} ${asId(expected)}, found ${asId(found)}`);
}

export function broken(message: string): VerificationError {
  return new VerificationError("broken-link", message);
}
