// SPDX-License-Identifier: Apache-2.0
/**
 * The six steps by which one signed part of the evidence is judged, each for itself.
 *
 * 1. `statement`: the payload is a statement of the kind that this part must be, and its claim
 *    holds together.
 * 2. `time`: an RFC 3161 timestamp over the signature, by the registry's own authority, proves by
 *    when it was made.
 * 3. `signer`: at that time, leaf and intermediate lead to the pinned root, are certified for this
 *    purpose, and name whoever may say this.
 * 4. `signature`: the leaf's key signed the envelope.
 * 5. `entry`: the ledger entry is the one that this envelope and certificate make, and the proof
 *    leads from it to the stated root.
 * 6. `tree-head`: the pinned ledger signed a tree head of that size and root.
 */
import type { Bundle } from "../bundle";
import { ledgerLeaf } from "../bundle";
import type { Purpose } from "../certificates";
import { publicKeyOf, verifyChain } from "../certificates";
import { asId, equalBytes, sha256 } from "../digests";
import { verifyEnvelope } from "../envelope";
import { VerificationError } from "../errors";
import type { Part } from "../evidence";
import { leafHash, verifyInclusion } from "../merkle";
import type { CheckpointClaim } from "../statements/checkpoint";
import { checkpointClaim } from "../statements/checkpoint";
import type { ConductClaim } from "../statements/conduct";
import { conductClaim } from "../statements/conduct";
import type { DatasetClaim } from "../statements/dataset";
import { datasetClaim } from "../statements/dataset";
import type { OutputClaim } from "../statements/output";
import { outputClaim } from "../statements/output";
import type { RunClaim } from "../statements/run";
import { runClaim } from "../statements/run";
import type { Statement } from "../statements/statement";
import { PURPOSE_OF, parseStatement } from "../statements/statement";
import { verifyTimestamp } from "../timestamps";
import { verifyTreeHead } from "../treehead";
import type { TrustRoot } from "../trust";
import type { Established, Report } from "./report";
import { Finding } from "./report";

/** What a part must claim, and how a person reads it. */
export type Kind<C> = {
  readonly part: Part;
  readonly purpose: Purpose;
  readonly parse: (statement: Statement) => C;
  readonly inWords: (claim: C) => string;
  /** The URI of whoever may claim it, or with a slash at its end, the URL below which it lies. */
  readonly signer: (claim: C, registry: string) => string;
};

/** What is known of a part after its six steps. */
export type Examined<C> = {
  readonly bundle: Finding<Bundle>;
  readonly claim: Finding<C>;
  readonly signer: Finding<string>;
  readonly signedAt: Finding<Date>;
};

/** Take the six steps for one part. */
export async function examine<C>(
  report: Report,
  kind: Kind<C>,
  bundle: Bundle | undefined,
  trust: TrustRoot,
): Promise<Examined<C>> {
  const { part } = kind;
  const given = new Finding(bundle ?? null);
  const claim = await report.check(`${part}.statement`, `The ${part}'s statement can be read`, () =>
    statementOf(kind, bundle),
  ); // 1
  const signedAt = await report.check(
    `${part}.time`,
    `The ${part}'s signature has a timestamp of the registry's authority`,
    () => timeOf(given.get(), trust),
  ); // 2
  const signer = await report.check(
    `${part}.signer`,
    `The ${part}'s signer was certified for this by the pinned root`,
    () => signerOf(kind, given.get(), { claim: claim.get(), at: signedAt.get(), trust }),
  ); // 3
  await report.check(
    `${part}.signature`,
    `The ${part}'s statement is what that signer signed`,
    () => signature(given.get()),
  ); // 4
  await report.check(`${part}.entry`, `The ${part}'s signature is an entry of the ledger`, () =>
    entry(given.get()),
  ); // 5
  await report.check(
    `${part}.tree-head`,
    `The ledger signed the tree that holds the ${part}'s entry`,
    () => treeHead(given.get(), trust),
  ); // 6
  return { bundle: given, claim, signer, signedAt };
}

/** The digest by which others name a part's statement. */
export async function statementSha256(examined: Examined<unknown>): Promise<string> {
  return sha256(examined.bundle.get().envelope.payload);
}

function statementOf<C>(kind: Kind<C>, bundle: Bundle | undefined): Established<C> {
  if (bundle === undefined) {
    const message = `expected a bundle for the ${kind.part}, found none`;
    throw new VerificationError("missing-evidence", message);
  }
  const statement = parseStatement(bundle.envelope.payload);
  if (PURPOSE_OF[statement.predicateType] !== kind.purpose) {
    const expected = `expected a statement that keys for ${kind.purpose} may sign`;
    throw new VerificationError("wrong-purpose", `${expected}, found ${statement.predicateType}`);
  }
  const claim = kind.parse(statement);
  return [claim, kind.inWords(claim)];
}

async function timeOf(bundle: Bundle, trust: TrustRoot): Promise<Established<Date>> {
  const at = await verifyTimestamp(bundle.timestamp, bundle.envelope.signature, trust.root);
  return [at, `signed by ${at.toISOString().replace(".000Z", "Z")}`];
}

async function signerOf<C>(
  kind: Kind<C>,
  bundle: Bundle,
  { claim, at, trust }: { claim: C; at: Date; trust: TrustRoot },
): Promise<Established<string>> {
  const demands = { root: trust.root, purpose: kind.purpose, at };
  const found = await verifyChain(bundle.chain, demands);
  const expected = kind.signer(claim, trust.registry);
  const isExpected = expected.endsWith("/") ? found.startsWith(expected) : found === expected;
  if (!isExpected) {
    throw new VerificationError("broken-link", `expected the signer ${expected}, found ${found}`);
  }
  return [found, `${found}, certified for ${kind.purpose}`];
}

async function signature(bundle: Bundle): Promise<Established<Bundle>> {
  await verifyEnvelope(bundle.envelope, await publicKeyOf(bundle.chain.leaf));
  return [bundle, `statement ${asId(await sha256(bundle.envelope.payload))}`];
}

async function entry(bundle: Bundle): Promise<Established<Bundle>> {
  const { proof, envelope, chain } = bundle;
  if (!equalBytes(bundle.entry, await ledgerLeaf(envelope, chain.leaf, bundle.kind))) {
    const message = "expected the entry of this envelope and certificate, found another";
    throw new VerificationError("not-in-ledger", message);
  }
  const inclusion = { index: proof.index, size: proof.size, proof: proof.hashes };
  await verifyInclusion(await leafHash(bundle.entry), inclusion, proof.root);
  return [bundle, `entry ${proof.index} of ${proof.size}`];
}

async function treeHead({ proof }: Bundle, trust: TrustRoot): Promise<Established<string>> {
  const head = await verifyTreeHead(proof.note, trust.verifier);
  if (head.size !== proof.size || !equalBytes(head.root, proof.root)) {
    throw new VerificationError(
      "bad-tree-head",
      `expected a head of the tree of ${proof.size} entries that the proof leads to, ` +
        `found one of ${head.size} entries with another root`,
    );
  }
  if (!equalBytes(proof.logId, trust.verifier.logId)) {
    const message = "expected the id of the pinned ledger, found another";
    throw new VerificationError("bad-tree-head", message);
  }
  return [head.origin, `${head.origin}, ${head.size} entries`];
}

function ownerOf(name: string): string {
  return name.split("/")[0] ?? name;
}

export const OUTPUT: Kind<OutputClaim> = {
  part: "output",
  purpose: "output",
  parse: outputClaim,
  inWords: (claim) =>
    `output ${claim.output}, ${claim.claim}, from checkpoint ${asId(claim.checkpointSha256)}`,
  signer: (_, registry) => `${registry}/`,
};

export const CHECKPOINT: Kind<CheckpointClaim> = {
  part: "checkpoint",
  purpose: "checkpoint",
  parse: checkpointClaim,
  inWords: (claim) => `${claim.project}@${claim.name}, checkpoint ${asId(claim.manifestSha256)}`,
  signer: (claim, registry) => `${registry}/${ownerOf(claim.project)}`,
};

export const RUN: Kind<RunClaim> = {
  part: "run",
  purpose: "node",
  parse: runClaim,
  inWords: (claim) =>
    `run ${claim.run} at step ${claim.step}, validation loss ${claim.validationLoss}`,
  signer: (claim, registry) => `${registry}/nodes/${claim.node}`,
};

export const DATASET: Kind<DatasetClaim> = {
  part: "dataset",
  purpose: "checkpoint",
  parse: datasetClaim,
  inWords: (claim) =>
    `${claim.title} (${claim.name}), ${claim.files} files, licence ${claim.license}`,
  signer: (claim, registry) => `${registry}/${ownerOf(claim.name)}`,
};

export const CONDUCT: Kind<ConductClaim> = {
  part: "conduct",
  purpose: "conduct",
  parse: conductClaim,
  inWords: (claim) => `${claim.title}, version ${claim.conduct.version}`,
  signer: (_, registry) => `${registry}/conduct`,
};
