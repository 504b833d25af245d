// SPDX-License-Identifier: Apache-2.0
/**
 * An evidence pack: all that a walk from an artifact down to its data and rules used, in one file.
 *
 * It is an archive whose files are named by their digests (docs/spec/evidence-pack.md). Only the
 * form is checked here: what is in it proves nothing before it was examined, and whom to trust is
 * the reader's to say, also where the pack brings a trust root.
 */
import {
  type AcceptanceEvidence,
  isWritten as isWrittenAcceptance,
  parseAcceptance,
} from "./acceptance";
import { type Files, isArchive, readArchive } from "./archive";
import type { Bytes, Json, JsonObject } from "./canonical";
import {
  asMapping,
  dumps,
  items,
  literal,
  loads,
  mapping,
  nullable,
  only,
  sha256Hex,
  within,
} from "./canonical";
import { MAX_BYTES as MAX_LIST_BYTES } from "./crls";
import { equalBytes, sha256 } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import type { Evidence } from "./evidence";
import { isWritten, parseEvidence } from "./evidence";
import { MAX_BYTES as MAX_ANSWER_BYTES } from "./ocspstatus";
import {
  MAX_POLICY_BYTES,
  type Policy,
  type Proof,
  parsePolicy,
  parseProof,
  proofText,
} from "./tlog";
import { parseTrustRoot, type TrustRoot } from "./trust";
import { MAX_BASES } from "./verify/descent";

export const SUFFIX = ".assay-pack";
const PACK_V1 = "https://assay/evidence-pack/v1";
const INDEX = "pack.json";
const TRUST_ROOT = "trust-root.json";
const POLICY = "policy";
const MAX_ARTIFACTS = 256;
const MAX_ACCEPTANCES = 64; // each takes as many signatures to check as a part of an artifact
const MAX_TEXT_BYTES = 1024 * 1024; // of a conduct policy, as people read it
/** By folder: how its files' names end. */
const ENDINGS = {
  acceptances: ".json",
  answers: ".ocsp",
  evidence: ".json",
  lists: ".crl",
  proofs: ".tlog-proof",
  texts: ".txt",
} as const;
type Folder = keyof typeof ENDINGS;
/** In the order of their names evidence comes first, or these before it. */
const FIRST = ["acceptances/", "answers/", "evidence/"];
const NAME_AT = 30; // in an archive, of its first file

/** What a pack is about: its evidence, and of an output of a batch its proof. */
export type Artifact = {
  readonly evidence: Evidence;
  /** As it was read, to be handed on. */
  readonly document: JsonObject;
  readonly proof: Proof | null;
};

/** Artifacts of one registry, and all that there is to judge them by. */
export type Pack = {
  /** Whose they are by the pack's own word: no reason to believe it. */
  readonly trust: TrustRoot;
  readonly artifacts: readonly Artifact[];
  /** Of checkpoints that runs continued from. */
  readonly bases: readonly Evidence[];
  /** Which witnesses are asked, and the digest by which people name that; likewise. */
  readonly policy: { readonly policy: Policy; readonly sha256: string } | null;
  readonly lists: readonly Bytes[];
  readonly answers: readonly Bytes[];
  readonly texts: readonly Bytes[];
  /** By people and organisations that chose to show them. */
  readonly acceptances: readonly AcceptanceEvidence[];
};

/** Whether a file that begins so, or has this name, says that it is one. */
export function saysThatItIsAPack(head: Uint8Array, name: string): boolean {
  const first = String.fromCharCode(...head.subarray(NAME_AT));
  const isOne = isArchive(head) && FIRST.some((folder) => first.startsWith(folder));
  return isOne || name.endsWith(SUFFIX);
}

/**
 * Read a pack. Raises InvalidDocument.
 *
 * Raises digest-mismatch for a file that is another than its name says, and missing-evidence for
 * one that is named and not there.
 */
export async function parsePack(data: Bytes): Promise<Pack> {
  const files = readArchive(data);
  const index = documentIn(files, INDEX);
  literal(index, "type", PACK_V1);
  only(index, "type", "artifacts", "bases");
  await checkDigests(files);
  const root = documentIn(files, TRUST_ROOT);
  const trust = await inside(TRUST_ROOT, () => parseTrustRoot(root));
  const artifacts = await each(items(index, "artifacts", MAX_ARTIFACTS), (value) =>
    artifactOf(files, value),
  );
  const bases = await each(items(index, "bases", MAX_BASES), async (value) => {
    const found = await evidenceIn(files, sha256Hex({ bases: value }, "bases"));
    return found.evidence;
  });
  const pack: Pack = {
    trust,
    artifacts,
    bases,
    policy: await policyIn(files),
    lists: ofFolder(files, "lists", MAX_LIST_BYTES),
    answers: ofFolder(files, "answers", MAX_ANSWER_BYTES),
    texts: ofFolder(files, "texts", MAX_TEXT_BYTES),
    acceptances: await acceptancesIn(files),
  };
  if (artifacts.length === 0) throw new InvalidDocument("artifacts", "at least one", "none");
  checkNamed(files, index);
  return pack;
}

/** Each content is of the digest that it is named by. */
async function checkDigests(files: Files): Promise<void> {
  for (const [name, data] of files) {
    const folder = name.split("/")[0] ?? "";
    if (!isFolder(folder)) continue;
    const digest = await sha256(data);
    if (name !== pathOf(folder, digest)) {
      const expected = `${name}: expected content of the digest that it is named by`;
      throw new VerificationError("digest-mismatch", `${expected}, found ${digest}`);
    }
  }
}

/** Nothing is there besides what the index names, and each document is in its one form. */
function checkNamed(files: Files, index: JsonObject): void {
  const named = new Set([INDEX, TRUST_ROOT, POLICY]);
  for (const value of items(index, "artifacts")) {
    const artifact = mapping({ value }, "value");
    named.add(pathOf("evidence", sha256Hex(artifact, "evidence")));
    const proof = nullable(artifact, "proof", sha256Hex);
    if (proof !== null) named.add(pathOf("proofs", proof));
  }
  const bases = items(index, "bases").map((value) => sha256Hex({ bases: value }, "bases"));
  for (const base of bases) named.add(pathOf("evidence", base));
  const more = ["acceptances/", "lists/", "answers/", "texts/"]; // whatever there is of them is used
  const odd = [...files.keys()].filter(
    (name) => !named.has(name) && !more.some((folder) => name.startsWith(folder)),
  );
  const areInOrder = bases.every((base, at) => at === 0 || (bases[at - 1] ?? "") < base);
  if (odd.length > 0 || !areInOrder || !areWritten(files)) {
    const found = odd.sort().join(", ") || "another form of one of its documents";
    throw new InvalidDocument("pack", "only files that its index names", found);
  }
}

/** Whether each document stands as it would be written again. */
function areWritten(files: Files): boolean {
  return [...files].every(([name, data]) => {
    if (name.startsWith("proofs/")) {
      return equalBytes(new TextEncoder().encode(proofText(parseProof(data))), data);
    }
    if (!name.endsWith(".json")) return true;
    const document = loads(data);
    return isOwnForm(name, asMapping(document, "document")) && equalBytes(dumps(document), data);
  });
}

function isOwnForm(name: string, document: JsonObject): boolean {
  if (name.startsWith("acceptances/")) return isWrittenAcceptance(document);
  return !name.startsWith("evidence/") || isWritten(document);
}

async function artifactOf(files: Files, value: Json): Promise<Artifact> {
  const named = asMapping(value, "artifacts");
  only(named, "evidence", "proof");
  const proof = nullable(named, "proof", sha256Hex);
  const found = await evidenceIn(files, sha256Hex(named, "evidence"));
  return { ...found, proof: proof === null ? null : proofIn(files, proof) };
}

async function evidenceIn(
  files: Files,
  digest: string,
): Promise<{ readonly evidence: Evidence; readonly document: JsonObject }> {
  const data = namedIn(files, "evidence", digest);
  return inside(pathOf("evidence", digest), async () => {
    const document = loads(data);
    return { evidence: await parseEvidence(document), document: asMapping(document, "evidence") };
  });
}

async function acceptancesIn(files: Files): Promise<readonly AcceptanceEvidence[]> {
  const found = [...files].filter(([name]) => name.startsWith("acceptances/"));
  if (found.length > MAX_ACCEPTANCES) {
    throw new InvalidDocument("acceptances", `at most ${MAX_ACCEPTANCES}`, String(found.length));
  }
  return Promise.all(
    found.map(([name, data]) => inside(name, async () => parseAcceptance(loads(data)))),
  );
}

function proofIn(files: Files, digest: string): Proof {
  const data = namedIn(files, "proofs", digest);
  return within(pathOf("proofs", digest), () => parseProof(data));
}

async function policyIn(files: Files): Promise<Pack["policy"]> {
  const data = files.get(POLICY);
  if (data === undefined) return null;
  if (data.length > MAX_POLICY_BYTES) {
    throw new InvalidDocument("policy.policy", `at most ${MAX_POLICY_BYTES} bytes`, "more");
  }
  const policy = await inside(POLICY, () => parsePolicy(data));
  return { policy, sha256: await sha256(data) };
}

/** All of a folder, in the order of their digests. */
function ofFolder(files: Files, folder: Folder, most: number): readonly Bytes[] {
  const found = [...files].filter(([name]) => name.startsWith(`${folder}/`));
  return found.map(([name, data]) => {
    if (data.length <= most) return data;
    throw new InvalidDocument(name, `at most ${most} bytes`, String(data.length));
  });
}

function documentIn(files: Files, name: string): JsonObject {
  const data = files.get(name);
  if (data === undefined) {
    const message = `expected ${name} in the pack, found none`;
    throw new VerificationError("missing-evidence", message);
  }
  return within(name, () => asMapping(loads(data), "document"));
}

function namedIn(files: Files, folder: Folder, digest: string): Bytes {
  const path = pathOf(folder, digest);
  const data = files.get(path);
  if (data !== undefined) return data;
  const message = `expected ${path}, which the pack's index names; found none`;
  throw new VerificationError("missing-evidence", message);
}

function pathOf(folder: Folder, digest: string): string {
  return `${folder}/${digest}${ENDINGS[folder]}`;
}

function isFolder(name: string): name is Folder {
  return Object.hasOwn(ENDINGS, name);
}

/** One after the other: the first that is refused is the one that is said. */
async function each<T>(
  values: readonly Json[],
  read: (value: Json) => Promise<T>,
): Promise<readonly T[]> {
  const found: T[] = [];
  for (const value of values) found.push(await read(value));
  return found;
}

/** Name the fields of an inner document from the outer one, where reading takes time. */
async function inside<T>(prefix: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof InvalidDocument ? error.under(prefix) : error;
  }
}
