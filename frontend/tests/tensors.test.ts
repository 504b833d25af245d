// SPDX-License-Identifier: Apache-2.0
/** Tensors by their digests, against the vectors that Python's verifier is held to. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { sha256 } from "../verify/digests";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import type { Manifest } from "../verify/manifest";
import type { TensorList } from "../verify/tensors";
import {
  isListed,
  parseTensors,
  tensorDifferences,
  tensorsOf,
  tensorsSha256,
} from "../verify/tensors";
import { parseTrustRoot } from "../verify/trust";
import { examineCheckpoint } from "../verify/verify/artifacts";
import type { Step } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { bytes, changed, type Place, vectors } from "./vectors";

type Files = Readonly<Record<string, string>>;
type Case = {
  readonly name: string;
  readonly path?: Place;
  readonly value?: Json;
  readonly files?: Files;
  readonly failed: readonly string[];
  readonly said?: string;
};
type Vectors = {
  readonly trust_root: Json;
  readonly as_of: string;
  readonly files: Files;
  readonly list: string;
  readonly sha256: string;
  readonly evidence: Json;
  readonly changed: readonly Case[];
  readonly refused: readonly { readonly why: string; readonly tensors: readonly Json[] }[];
  readonly no_files: readonly { readonly why: string; readonly base64: string }[];
};

const given = vectors<Vectors>("tensors");

async function listOf(files: Files): Promise<TensorList> {
  const named = Object.entries(files).filter(([name]) => isListed(name));
  const found: TensorList[] = [];
  for (const [name, content] of named) {
    found.push(await tensorsOf(name, new Blob([bytes(content)])));
  }
  return found.flat();
}

async function manifestOf(files: Files): Promise<Manifest> {
  const entries = Object.entries(files).map(async ([name, content]) => {
    const data = bytes(content);
    return { name, sha256: await sha256(data), size: data.length };
  });
  return { files: await Promise.all(entries) };
}

async function steps({ path, value, files = {} }: Case): Promise<readonly Step[]> {
  const document = path === undefined ? given.evidence : changed(given.evidence, path, value);
  const atHand = { ...given.files, ...files };
  const trust = await parseTrustRoot(given.trust_root);
  const required = { asOf: new Date(given.as_of) };
  const [manifest, tensors] = [await manifestOf(atHand), await listOf(atHand)];
  const evidence = await parseEvidence(document);
  return (await examineCheckpoint(evidence, groundsOf(trust, required), manifest, tensors)).steps;
}

test("the list is these bytes", async () => {
  const list = await listOf(given.files);
  expect(await tensorsSha256(list)).toBe(given.sha256);
  expect(await sha256(new TextEncoder().encode(given.list))).toBe(given.sha256);
  expect(list).toEqual((await parseEvidence(given.evidence)).tensors);
});

test.each(given.changed)("changed: $name", async (each) => {
  const failures = (await steps(each)).filter(({ outcome }) => outcome === "failed");
  expect(failures.map(({ code }) => code)).toEqual(each.failed);
  for (const { code, detail } of failures) {
    if (code === "tensors") expect(detail).toContain(each.said);
  }
});

test.each(given.refused)("what is no list is refused: $why", ({ tensors }) => {
  expect(() => parseTensors(tensors)).toThrow(InvalidDocument);
});

test.each(given.no_files)("what is no file of tensors is refused: $why", async ({ base64 }) => {
  await expect(tensorsOf("x", new Blob([bytes(base64)]))).rejects.toThrow(InvalidDocument);
});

test("missing tensors are named, and not all of many", async () => {
  const [one] = await listOf(given.files);
  if (one === undefined) throw new Error("expected a tensor");
  const many = [..."abcdefg"].map((name) => ({ ...one, name }));
  const words = tensorDifferences(many, []);
  expect(words).toContain("missing: 'a' of model-2.safetensors");
  expect(words).toMatch(/and 2 more$/);
});
