// SPDX-License-Identifier: Apache-2.0
/** The whole verifier against the evidence that Python's is held to, whole and changed in one thing. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { sha256 } from "../verify/digests";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import type { Manifest } from "../verify/manifest";
import { parseTrustRoot } from "../verify/trust";
import { examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { contentOf, type Step } from "../verify/verify/report";
import { bytes, changed, type Place, vectors } from "./vectors";

type Mutation = {
  readonly name: string;
  readonly artifact: "output" | "checkpoint";
  readonly set?: readonly { readonly path: Place; readonly value: Json }[];
  readonly remove?: readonly Place[];
  readonly text?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly trust_root?: Json;
  readonly as_of?: string;
  readonly failed?: readonly string[];
  readonly error?: string;
  readonly refused?: boolean;
};
type Vectors = {
  readonly trust_root: Json;
  readonly fingerprint: string;
  readonly text: string;
  readonly as_of: string;
  readonly files: Readonly<Record<string, string>>;
  readonly evidence: Json;
  readonly mutations: readonly Mutation[];
};

const given = vectors<Vectors>("evidence");
const present = { asOf: new Date(given.as_of) };

function document({ set = [], remove = [] }: Mutation): Json {
  const replaced = set.reduce((all, { path, value }) => changed(all, path, value), given.evidence);
  return remove.reduce((all, path) => changed(all, path, undefined), replaced);
}

async function manifestOf(files: Readonly<Record<string, string>>): Promise<Manifest> {
  const entries = Object.entries(files).map(async ([name, content]) => {
    const data = bytes(content);
    return { name, sha256: await sha256(data), size: data.length };
  });
  return { files: await Promise.all(entries) };
}

async function examine(mutation: Mutation): Promise<readonly Step[]> {
  const evidence = parseEvidence(document(mutation));
  const trust = await parseTrustRoot(mutation.trust_root ?? given.trust_root);
  const required = { asOf: new Date(mutation.as_of ?? given.as_of) };
  if (mutation.artifact === "checkpoint") {
    const files = await manifestOf(mutation.files ?? given.files);
    return examineCheckpoint(evidence, trust, required, files);
  }
  return examineOutput(evidence, trust, required, await contentOf(mutation.text ?? given.text));
}

const readable = given.mutations.filter(({ refused }) => refused !== true);
const unreadable = given.mutations.filter(({ refused }) => refused === true);

test.each(readable)("$artifact: $name", async (mutation) => {
  const steps = await examine(mutation);
  const failed = steps.filter(({ outcome }) => outcome === "failed");
  expect(failed.map(({ code }) => code)).toEqual(mutation.failed ?? []);
  expect(failed[0]?.error ?? undefined).toBe(mutation.error);
});

test.each(unreadable)("$name", (mutation) => {
  expect(() => parseEvidence(document(mutation))).toThrow(InvalidDocument);
});

test("the trust root has the fingerprint that people compare", async () => {
  expect((await parseTrustRoot(given.trust_root)).fingerprint).toBe(given.fingerprint);
});

test("a trust root with another ledger's name is refused", async () => {
  const other = changed(given.trust_root, ["ledger", "origin"], "other.test/ledger");
  await expect(parseTrustRoot(other)).rejects.toThrow("origin: expected");
});

test("without content none is compared", async () => {
  const trust = await parseTrustRoot(given.trust_root);
  const steps = await examineOutput(parseEvidence(given.evidence), trust, present, null);
  expect(steps.map(({ code }) => code)).not.toContain("text");
  expect(steps.every(({ outcome }) => outcome === "passed")).toBe(true);
});

test("a fault of the verifier itself is no verdict", async () => {
  const trust = await parseTrustRoot(given.trust_root);
  const evidence = { ...parseEvidence(given.evidence), manifest: undefined } as unknown;
  const verdict = examineCheckpoint(
    evidence as Parameters<typeof examineCheckpoint>[0],
    trust,
    present,
    null,
  );
  await expect(verdict).rejects.toThrow(TypeError);
});

test("numbers of steps are consecutive", async () => {
  const steps = await examine({ name: "", artifact: "output" });
  expect(steps.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1));
});
