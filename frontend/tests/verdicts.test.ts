// SPDX-License-Identifier: Apache-2.0
/** What a file is taken for, and in which word a verification ends: over the shared vectors. */
import { expect, test } from "vitest";
import { dumps, type Json, mapping } from "../verify/canonical";
import { inputOf } from "../verify/commands/inputs";
import { type Verdict, verdictOf } from "../verify/commands/verdict";
import { sha256 } from "../verify/digests";
import { InvalidDocument } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import { proofText } from "../verify/tlog";
import { parseTrustRoot } from "../verify/trust";
import { examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { examineEvaluation } from "../verify/verify/evaluations";
import { contentOf } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { bytes, changed, type Place, vectors } from "./vectors";

type Mutation = {
  readonly name: string;
  readonly set?: readonly { readonly path: Place; readonly value: Json }[];
  readonly as_of?: string;
};
type Vectors = {
  readonly trust_root: Json;
  readonly text: string;
  readonly as_of: string;
  readonly evidence: Json;
  readonly mutations: readonly Mutation[];
};
type Given = Omit<Vectors, "mutations">;

const given = vectors<Vectors>("evidence");
const takenDown = vectors<Vectors>("takedowns");
const said = vectors<Vectors>("evaluations");

/** What a mutation of this name changes: the evidence, or the moment. */
function mutated(name: string): Partial<Given> {
  const found = given.mutations.find((each) => each.name === name);
  if (found === undefined) throw new Error(`expected a mutation called ${name}`);
  const { set = [], as_of = given.as_of } = found;
  const evidence = set.reduce((all, { path, value }) => changed(all, path, value), given.evidence);
  return { evidence, as_of };
}

async function verdict(from: Given): Promise<Verdict> {
  const evidence = await parseEvidence(from.evidence);
  const trust = await parseTrustRoot(from.trust_root);
  const required = { asOf: new Date(from.as_of) };
  const content = await contentOf(from.text);
  return verdictOf(
    await examineOutput(evidence, groundsOf(trust, required), content),
    evidence,
    trust,
  );
}

test.each<[Verdict, Partial<Given>]>([
  ["verified", {}],
  ["normalised", { text: given.text.replace("\n", "  \r\n") }],
  ["changed", { text: given.text.replace("hello", "hallo") }],
  ["broken", mutated("the policy document changed")],
  ["broken", { ...mutated("the policy document changed"), text: "another" }],
  ["revoked", mutated("the output's leaf was revoked now")],
  ["stale", mutated("a second after the lists have ended")],
  ["stranger", { trust_root: changed(given.trust_root, ["registry"], "http://other.test") }],
  ["taken-down", takenDown],
  ["taken-down", { ...takenDown, text: takenDown.text.replace("\n", "  \n") }],
])("%s", async (expected, changes) => {
  expect(await verdict({ ...given, ...changes })).toBe(expected);
});

test("an evaluation that was taken back is said to be withdrawn", async () => {
  const trust = await parseTrustRoot(said.trust_root);
  const required = { asOf: new Date(said.as_of) };
  const verdictOn = async (document: Json) => {
    const evidence = await parseEvidence(document);
    return verdictOf(
      await examineEvaluation(evidence, groundsOf(trust, required)),
      evidence,
      trust,
    );
  };
  expect(await verdictOn(said.evidence)).toBe("withdrawn");
  const standing = changed(said.evidence, ["bundles", "withdrawal"], undefined);
  expect(await verdictOn(standing)).toBe("verified");
});

test("single files are compared by digest alone, and others are named", async () => {
  const evidence = await parseEvidence(given.evidence);
  const trust = await parseTrustRoot(given.trust_root);
  const required = { asOf: new Date(given.as_of) };
  const [{ sha256 } = { sha256: "" }] = evidence.manifest.files;
  const examined = async (digest: string) => {
    const files = [{ name: "renamed.bin", sha256: digest }];
    const { steps } = await examineCheckpoint(evidence, groundsOf(trust, required), files);
    return steps.find(({ code }) => code === "files");
  };
  expect((await examined(sha256))?.detail).toMatch(/^1 of [0-9]+ files: /);
  const other = await examined("0".repeat(64));
  expect([other?.outcome, other?.error]).toEqual(["failed", "file-mismatch"]);
  expect(other?.detail).toContain("found renamed.bin (sha256:000");
});

const kindOf = async (value: Json) => (await inputOf(dumps(value))).kind;

test("evidence, answers with evidence, trust roots and pins are what they say", async () => {
  expect(await kindOf(given.evidence)).toBe("evidence");
  expect(await kindOf({ text: given.text, evidence: given.evidence })).toBe("evidence");
  expect(await kindOf(given.trust_root)).toBe("trust");
  expect(await kindOf({ trust_root: given.trust_root, pinned_from: "a colleague" })).toBe("trust");
});

test("a policy of witnesses is one by its lines, and a pin may bring one", async () => {
  const { policy } = vectors<{ readonly policy: string }>("standings");
  const data = new TextEncoder().encode(policy);
  const alone = await inputOf(data);
  expect(alone.kind === "policy" && alone.policy.sha256).toBe(await sha256(data));
  const pin = await inputOf(dumps({ trust_root: given.trust_root, policy }));
  expect(pin.kind === "trust" && pin.policy?.sha256).toBe(await sha256(data));
  const bare = await inputOf(dumps({ trust_root: given.trust_root }));
  expect(bare.kind === "trust" && bare.policy).toBeNull();
  const text = async (words: string) => (await inputOf(new TextEncoder().encode(words))).kind;
  expect(await text("log your hours\nquorum of five\nand more\n")).toBe("content");
  expect(await text("# witness w\n")).toBe("content");
  await expect(text("log nothing\nquorum none\n")).rejects.toThrow(InvalidDocument);
});

test("a proof is one by its first line", async () => {
  const [output] = vectors<{ readonly outputs: readonly { proof: string }[] }>("batches").outputs;
  const read = async (text: string) => (await inputOf(new TextEncoder().encode(text))).kind;
  expect(await read(output?.proof ?? "")).toBe("proof");
  await expect(read("c2sp.org/tlog-proof@v1\nno index\n\n")).rejects.toThrow(InvalidDocument);
});

test("an answer brings its text, and evidence alone none", async () => {
  const answer = await inputOf(dumps({ text: given.text, evidence: given.evidence }));
  expect(answer.kind === "evidence" && answer.text).toBe(given.text);
  const alone = await inputOf(dumps(given.evidence));
  expect(alone.kind === "evidence" && alone.text).toBeNull();
});

test("of a whole answer for OpenAI's clients it is said which member the evidence is", async () => {
  const assay = { text: given.text, evidence: given.evidence };
  const choice = { text: given.text };
  for (const whole of [
    { choices: [choice], assay },
    { choices: [{ ...choice, assay }] },
    { data: [{ assay }] },
  ]) {
    await expect(kindOf(whole)).rejects.toThrow("save its member `assay` by itself");
  }
});

test("everything else is content, also what only speaks of evidence", async () => {
  expect(await kindOf({ layers: 4 })).toBe("content");
  expect(await kindOf(["https://assay/evidence/v1"])).toBe("content");
  expect((await inputOf(bytes("/9j/4AAQ"))).kind).toBe("content");
  expect((await inputOf(new TextEncoder().encode("{ not json"))).kind).toBe("content");
});

test("evidence with one thing changed is no content, and says what is wrong with it", async () => {
  const broken = changed(given.evidence, ["bundels"], {});
  await expect(inputOf(dumps(broken))).rejects.toThrow(InvalidDocument);
  const gone = { evidence: null, type: "https://assay/evidence/v1" };
  await expect(inputOf(dumps(gone))).rejects.toThrow("expected the evidence of a checkpoint");
});

test("a proof is written as C2SP has it", async () => {
  const { bundles } = await parseEvidence(given.evidence);
  const { proof } = bundles.output ?? { proof: null };
  if (proof === null) throw new Error("expected an output");
  const [before = "", ...note] = proofText(proof).split("\n\n");
  const stated = mapping(mapping(given.evidence as never, "bundles"), "output");
  expect(before.split("\n").slice(0, 2)).toEqual([
    "c2sp.org/tlog-proof@v1",
    `index ${proof.index}`,
  ]);
  expect(before.split("\n").slice(2)).toHaveLength(proof.hashes.length);
  expect(note.join("\n\n")).toBe(proof.note);
  expect(JSON.stringify(stated)).toContain(before.split("\n")[2]);
});
