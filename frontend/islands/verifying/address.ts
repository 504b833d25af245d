// SPDX-License-Identifier: Apache-2.0
/** What a reader typed: a digest, or the address of something at this registry. */
import { text } from "../../verify/canonical";
import { proofIn } from "../../verify/commands/inputs";
import { contentOf } from "../../verify/verify/report";
import type { Case, Item } from "./case";
import { answerAt, lookUp } from "./finding";

const DIGEST = /^(?:sha256:)?([0-9a-f]{64})$/i;
const IN_QUERY = /[?&]digest=(?:sha256:|sha256%3A)?([0-9a-f]{64})/i;
const OUTPUT = /^\/(?:outputs|api\/v1\/outputs)\/([0-9a-f-]{36})$/;
const FILE = /^\/files\/([0-9a-f]{64})$/;
const BY_ID = /^\/api\/v1\/checkpoints\/sha256:([0-9a-f]{64})(?:\/evidence)?$/;
const EVIDENCE = /^\/api\/v1\/.*\/evidence$/;
const CHECKPOINT = /^\/([a-z0-9-]+)\/([A-Za-z0-9._-]+)\/([A-Za-z0-9._-]+)$/;

/** Neither a digest nor an address of this registry; or nothing to be verified is there. */
export class NoSuchThing extends Error {}

/** The cases that come of it. */
export async function typed(given: string, registry: string): Promise<readonly Case[]> {
  const [, digest] = DIGEST.exec(given.trim()) ?? [];
  if (digest !== undefined) return lookUp([digestItem(digest.toLowerCase())], null);
  const path = pathOf(given.trim(), registry);
  const [, file] = FILE.exec(path) ?? IN_QUERY.exec(path) ?? [];
  if (file !== undefined) return lookUp([digestItem(file)], null);
  const found = await at(path);
  if (found === null) throw new NoSuchThing(given);
  return [found];
}

/** The path of an address of the registry, whether by its own name or by that of this page. */
function pathOf(given: string, registry: string): string {
  for (const base of [registry, location.origin]) {
    if (given.startsWith(`${base}/`)) return given.slice(base.length);
  }
  if (given.startsWith("/") && !given.startsWith("//")) return given;
  throw new NoSuchThing(given);
}

async function at(path: string): Promise<Case | null> {
  const [, output] = OUTPUT.exec(path) ?? [];
  if (output !== undefined) return evidenceAt(`/api/v1/outputs/${output}`);
  const [, id] = BY_ID.exec(path) ?? [];
  if (id !== undefined) return evidenceAt(`/api/v1/checkpoints/sha256:${id}/evidence`);
  if (EVIDENCE.test(path)) return evidenceAt(path);
  const [, owner, project, name] = CHECKPOINT.exec(path) ?? [];
  if (name === undefined) return null;
  const row = await answerAt(`/api/v1/projects/${owner}/${project}/checkpoints/${name}`);
  if (row === null) return null;
  return evidenceAt(`/api/v1/checkpoints/${text(row, "id")}/evidence?project=${owner}/${project}`);
}

/** An answer brings its text with it, which is compared as any other is. */
async function evidenceAt(url: string): Promise<Case | null> {
  const answer = await answerAt(url);
  if (answer === null) return null;
  const proof = await proofIn(answer);
  const items = proof.text === null ? [] : [await textItem(proof.text)];
  return { items, folder: null, proof, lack: null };
}

export async function textItem(shown: string): Promise<Item> {
  const size = new TextEncoder().encode(shown).length;
  return { name: "", size, content: await contentOf(shown), kind: "text" };
}

/** Nobody says of a digest whether it is of the very bytes or of the normalised text. */
function digestItem(sha256: string): Item {
  return { name: "", size: null, content: { sha256, normalisedSha256: sha256 }, kind: "digest" };
}
