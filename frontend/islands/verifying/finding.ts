// SPDX-License-Identifier: Apache-2.0
/** Finds evidence by digest at the registry that served the page; it is judged before it is believed. */
import type { JsonObject } from "../../verify/canonical";
import { asMapping, items as itemsIn, loads, mapping, text } from "../../verify/canonical";
import { type Proof, proofIn } from "../../verify/commands/inputs";
import { asId } from "../../verify/digests";
import { compare, manifestId } from "../../verify/manifest";
import { MAX_PROOF_CHARACTERS, parseProof } from "../../verify/tlog";
import { find, Unfetched } from "../evidence-fetch";
import { type Case, fits, type Item, type Lack } from "./case";

const BESIDE = new Set(["model.sig", "model.sigstore.json"]);

/** A case for each thing or group of things; what is not found, or not reached, is said so. */
export async function lookUp(items: readonly Item[], folder: string | null): Promise<Case[]> {
  const cases: Case[] = [];
  let left = [...items].sort((one, other) => (other.size ?? 0) - (one.size ?? 0));
  if (folder !== null && left.length > 0) {
    const found = await orLack(() => ofFolder(left));
    return [{ items, folder, ...found }];
  }
  for (let [item] = left; item !== undefined; [item] = left) {
    const { content } = item;
    const { proof, lack } = await orLack(
      async () => (await ofOutput(item)) ?? ofFile(content.sha256),
    );
    const own = proof === null ? [item] : left.filter((each) => fits(each, proof));
    // What is found and fits nowhere is the digest of the whole, of which no part is at hand.
    cases.push({ items: own, folder: null, proof, lack });
    left = left.filter((each) => each !== item && !own.includes(each));
  }
  return cases;
}

type Found = { readonly proof: Proof | null; readonly lack: Lack | null };

async function orLack(ask: () => Promise<Proof | string | null>): Promise<Found> {
  try {
    const found = await ask();
    if (found === null) return { proof: null, lack: { kind: "unknown" } };
    if (typeof found === "string") return { proof: null, lack: { kind: "listed", within: found } };
    return { proof: found, lack: null };
  } catch (error) {
    if (error instanceof Unfetched) return { proof: null, lack: { kind: "unreached" } };
    throw error;
  }
}

/** The checkpoint that is exactly these files, or else the newest that has the largest of them. */
async function ofFolder(largestFirst: readonly Item[]): Promise<Proof | string | null> {
  const files = manifestFiles(largestFirst);
  const whole = await ofCheckpoint(await manifestId({ files }), "");
  return whole ?? (await ofFile(largestFirst[0]?.content.sha256 ?? ""));
}

/** A folder's files as a manifest lists them; the signatures beside them are none of them. */
export function manifestFiles(items: readonly Item[]) {
  return items
    .filter(({ name }) => !BESIDE.has(name))
    .map(({ name, size, content }) => ({ name, sha256: content.sha256, size: size ?? 0 }))
    .sort((one, other) => compare(one.name, other.name));
}

/** Its evidence where it is an output's, to the byte or after normalising. */
async function ofOutput({ content }: Item): Promise<Proof | null> {
  for (const sha256 of new Set([content.sha256, content.normalisedSha256])) {
    const known = sha256 === null ? null : await answerAt(`/api/v1/outputs/by-content/${sha256}`);
    const [first] = known === null ? [] : itemsIn(known, "outputs");
    if (first === undefined) continue;
    const proof = await ofListed(asMapping(first, "outputs"));
    if (proof !== null) return proof;
  }
  return null;
}

/** The evidence of one that was found; of an output of a batch that of the batch, and its place. */
async function ofListed(listed: JsonObject): Promise<Proof | null> {
  if (listed.batch === null) {
    const answer = await answerAt(`/api/v1/outputs/${text(listed, "id")}`);
    return answer === null ? null : proofIn(answer);
  }
  const { pathname, search } = new URL(text(listed, "url"));
  const batch = await answerAt(`/api/v1/outputs/batches/${text(listed, "batch")}`);
  const line = await answerAt(`${pathname}${search}`);
  if (batch === null || line === null) return null;
  const placed = parseProof(new TextEncoder().encode(text(line, "proof", MAX_PROOF_CHARACTERS)));
  return { ...(await proofIn(batch)), placed };
}

/** The evidence of the newest checkpoint with this file or id; or the name of a data set. */
async function ofFile(sha256: string): Promise<Proof | string | null> {
  const known = await answerAt(`/api/v1/by-hash/${sha256}`);
  if (known === null) return null;
  const [place] = itemsIn(known, "checkpoints");
  if (place !== undefined) {
    const checkpoint = mapping(asMapping(place, "checkpoints"), "checkpoint");
    const id = text(checkpoint, "id").replace(asId(""), "");
    return ofCheckpoint(id, text(checkpoint, "project"));
  }
  const [dataset] = itemsIn(known, "datasets");
  return dataset === undefined ? null : text(asMapping(dataset, "datasets"), "dataset");
}

async function ofCheckpoint(sha256: string, project: string): Promise<Proof | null> {
  const within = project === "" ? "" : `?project=${encodeURIComponent(project)}`;
  const found = await answerAt(`/api/v1/checkpoints/${asId(sha256)}/evidence${within}`);
  return found === null ? null : proofIn(found);
}

/** A JSON answer of the registry; null where there is none for this reader. */
export async function answerAt(url: string): Promise<JsonObject | null> {
  const found = await find(url);
  return found === null ? null : asMapping(loads(found), "answer");
}
