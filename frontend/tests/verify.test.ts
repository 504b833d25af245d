// SPDX-License-Identifier: Apache-2.0
/** The whole verifier against the evidence that Python's is held to, whole and changed in one thing. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { fromHex, sha256 } from "../verify/digests";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import type { Manifest } from "../verify/manifest";
import { isPseudonym, pseudonymOf } from "../verify/pseudonyms";
import { parseTrustRoot } from "../verify/trust";
import { examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { contentOf, type Step } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
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
type Worked = {
  readonly party: string;
  readonly salt: string;
  readonly registry: string;
  readonly pseudonym: string;
};
type Vectors = {
  readonly model_signature?: Json;
  readonly trust_root: Json;
  readonly fingerprint: string;
  readonly text: string;
  readonly as_of: string;
  readonly files: Readonly<Record<string, string>>;
  readonly evidence: Json;
  readonly mutations: readonly Mutation[];
};

const given = vectors<Vectors>("evidence");
const pseudonymous = vectors<Vectors & { readonly pseudonyms: readonly Worked[] }>("pseudonyms");
const takenDown = vectors<Vectors>("takedowns");
const witnessed = vectors<Vectors>("witnessed");
const present = { asOf: new Date(given.as_of) };

function document({ set = [], remove = [] }: Mutation, from = given): Json {
  const replaced = set.reduce((all, { path, value }) => changed(all, path, value), from.evidence);
  return remove.reduce((all, path) => changed(all, path, undefined), replaced);
}

async function manifestOf(files: Readonly<Record<string, string>>): Promise<Manifest> {
  const entries = Object.entries(files).map(async ([name, content]) => {
    const data = bytes(content);
    return { name, sha256: await sha256(data), size: data.length };
  });
  const found = await Promise.all(entries);
  return { files: found.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

async function examine(mutation: Mutation, from: Vectors = given): Promise<readonly Step[]> {
  const evidence = await parseEvidence(document(mutation, from));
  const trust = await parseTrustRoot(mutation.trust_root ?? from.trust_root);
  const required = { asOf: new Date(mutation.as_of ?? from.as_of) };
  if (mutation.artifact === "checkpoint") {
    const files = await manifestOf(mutation.files ?? from.files);
    return (await examineCheckpoint(evidence, groundsOf(trust, required), files)).steps;
  }
  const content = await contentOf(mutation.text ?? from.text);
  return (await examineOutput(evidence, groundsOf(trust, required), content)).steps;
}

const every = [given, pseudonymous, takenDown, witnessed].flatMap((from) =>
  from.mutations.map((mutation) => ({ from, mutation, ...mutation })),
);
const readable = every.filter(({ refused }) => refused !== true);
const unreadable = every.filter(({ refused }) => refused === true);

test.each(readable)("$artifact: $name", async ({ mutation, from }) => {
  const steps = await examine(mutation, from);
  const failed = steps.filter(({ outcome }) => outcome === "failed");
  expect(failed.map(({ code }) => code)).toEqual(mutation.failed ?? []);
  expect(failed[0]?.error ?? undefined).toBe(mutation.error);
});

test.each(unreadable)("$name", async ({ mutation, from }) => {
  await expect(parseEvidence(document(mutation, from))).rejects.toThrow(InvalidDocument);
});

test("of a witness by ML-DSA-44 the name is held to those named, and the signature is not", async () => {
  const named = "a witness of ML-DSA-44 besides";
  const good = witnessed.mutations.find(({ name }) => name === named);
  if (good === undefined) throw new Error(named);
  const failing = async (change: (note: string) => string) => {
    const set = (good.set ?? []).map(({ path, value }) => ({
      path,
      value: path.includes("envelope") ? change(String(value)) : value,
    }));
    const steps = await examine({ ...good, set }, witnessed);
    return steps.filter(({ outcome }) => outcome === "failed").map(({ code }) => code);
  };
  expect(await failing((note) => note.replace(/.{9}\n$/, "AAAAAAAA=\n"))).toEqual([]);
  expect(await failing((note) => note.replace("w4.test", "w5.test"))).toEqual(["output.tree-head"]);
});

test.each(pseudonymous.pseudonyms)("$party has its pseudonym", async (worked) => {
  const { party, salt, registry, pseudonym } = worked;
  expect(await pseudonymOf({ party, salt: fromHex(salt) }, registry)).toBe(pseudonym);
  expect(isPseudonym(pseudonym, registry)).toBe(true);
  expect(isPseudonym(party, registry)).toBe(false);
});

test("the name is said with the pseudonym beside it, and the pseudonym alone without", async () => {
  const good = { name: "", artifact: "output" } as const;
  const { pseudonym, party } = pseudonymous.pseudonyms[0] ?? { pseudonym: "", party: "" };
  const said = (steps: readonly Step[]) => steps.find(({ code }) => code === "output.signer");
  expect(said(await examine(good, pseudonymous))?.detail).toBe(
    `alice, ${party} (pseudonym ${pseudonym}), certified for output`,
  );
  const closed = await examine({ ...good, remove: [["openings"]] }, pseudonymous);
  expect(said(closed)?.detail).toBe(`${pseudonym}, certified for output`);
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
  const evidence = await parseEvidence(given.evidence);
  const { steps, match } = await examineOutput(evidence, groundsOf(trust, present), null);
  expect(match).toBe("not compared");
  expect(steps.map(({ code }) => code)).not.toContain("text");
  expect(steps.every(({ outcome }) => outcome === "passed")).toBe(true);
});

async function besideModelSignature(files: Manifest | null): Promise<readonly Step[]> {
  const whole = changed(given.evidence, ["bundles", "model"], given.model_signature);
  const trust = await parseTrustRoot(given.trust_root);
  return (await examineCheckpoint(await parseEvidence(whole), groundsOf(trust, present), files))
    .steps;
}

test("without files a model signature is held to the checkpoint alone", async () => {
  const steps = await besideModelSignature(null);
  const codes = steps.map(({ code }) => code);
  expect([codes.includes("model.checkpoint"), codes.includes("model.files")]).toEqual([
    true,
    false,
  ]);
});

test("the files at hand are compared with a model signature too", async () => {
  const { files } = await manifestOf(given.files);
  const said = (steps: readonly Step[]) => steps.find(({ code }) => code === "model.files");
  expect(said(await besideModelSignature({ files }))?.outcome).toBe("passed");
  const fewer = said(await besideModelSignature({ files: files.slice(1) }));
  expect(fewer?.detail).toBe(
    `expected the files that were signed, found differences in ${files[0]?.name}`,
  );
});

test("a fault of the verifier itself is no verdict", async () => {
  const trust = await parseTrustRoot(given.trust_root);
  const evidence = { ...(await parseEvidence(given.evidence)), manifest: undefined } as unknown;
  const verdict = examineCheckpoint(
    evidence as Parameters<typeof examineCheckpoint>[0],
    groundsOf(trust, present),
    null,
  );
  await expect(verdict).rejects.toThrow(TypeError);
});

test("numbers of steps are consecutive", async () => {
  const steps = await examine({ name: "", artifact: "output" });
  expect(steps.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1));
});
