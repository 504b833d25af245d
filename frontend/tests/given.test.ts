// SPDX-License-Identifier: Apache-2.0
/** What a reader drops, told apart: packs, evidence, proofs, roots, policies, and all else. */
import { expect, test } from "vitest";
import { isTrustAlone, sorted } from "../islands/verifying/given";
import { casesOf } from "../islands/verifying/work";
import { writeArchive } from "../verify/archive";
import { type Bytes, dumps, type Json } from "../verify/canonical";
import { bytes, vectors } from "./vectors";

type Batches = {
  readonly evidence: Json;
  readonly outputs: readonly { readonly proof: string }[];
};
type Walks = { readonly evidence: Readonly<Record<string, Json>> };
type Standings = { readonly trust_root: Json; readonly policy: string };

const packs = vectors<{ readonly files: Readonly<Record<string, string>> }>("packs");
const FILES = Object.entries(packs.files).map(([name, data]) => [name, bytes(data)] as const);
const batches = vectors<Batches>("batches");
const standings = vectors<Standings>("standings");

function placed(name: string, data: Bytes | string, path = "") {
  return { file: new File([data], name), path };
}

const reasons = async (...files: Parameters<typeof sorted>[0]) =>
  (await sorted(files)).unread.map(({ lack }) =>
    lack?.kind === "unread" ? `${lack.name}: ${lack.reason}` : "",
  );

test("a pack gives its artifacts, whatever it is called, with all that is in it", async () => {
  const { proofs, contents } = await sorted([placed("a.zip", writeArchive(new Map(FILES)))]);
  expect([proofs.length, contents.length]).toEqual([2, 0]);
  expect(proofs.map(({ placed: of }) => of !== null)).toEqual([false, true]);
  expect(proofs[0]?.beside.bases).toHaveLength(1);
});

test("what says that it is a pack and is none cannot be read", async () => {
  const whole = writeArchive(new Map(FILES));
  expect(await reasons(placed("a.zip", whole.slice(0, -1)))).toEqual([
    "a.zip: archive: expected the one form that these files have, found another",
  ]);
  expect(await reasons(placed("a.assay-pack", "{}"))).toEqual([
    "a.assay-pack: archive: expected 1 to 1024 files, found 0",
  ]);
});

test("any other archive is content, and so is a pack among a folder's files", async () => {
  const other = writeArchive(new Map([["a", bytes("AAAA")]]));
  const whole = writeArchive(new Map(FILES));
  const { contents } = await sorted([placed("a.zip", other)]);
  expect(contents).toHaveLength(1);
  const inside = await sorted([placed("x.assay-pack", whole, "tiny/x.assay-pack")]);
  expect(inside.contents.map(({ path }) => path)).toEqual(["x.assay-pack"]);
});

test("a batch goes with its proofs, one case for each; without, neither is judged", async () => {
  const evidence = placed("batch.json", dumps(batches.evidence));
  const proofs = batches.outputs.map(({ proof }, at) => placed(`${at}.tlog-proof`, proof));
  expect((await sorted([evidence, ...proofs])).proofs).toHaveLength(batches.outputs.length);
  expect(await reasons(evidence)).toEqual([
    "batch.json: expected a proof with the evidence of a batch of outputs, found none",
  ]);
  expect(await reasons(...proofs.slice(0, 1))).toEqual([
    "0.tlog-proof: expected the evidence of the batch that this is a proof for, found none",
  ]);
});

test("of several pieces of evidence each may be a base of the others", async () => {
  const { evidence } = vectors<Walks>("walks");
  const files = ["output", "third", "first"].map((name) =>
    placed(`${name}.assay.json`, dumps(evidence[name] ?? null)),
  );
  const { proofs } = await sorted(files);
  expect(proofs.map(({ beside }) => beside.bases?.length)).toEqual([2, 2, 2]);
});

test("whom a reader believes is told from what they want judged", async () => {
  const files = [
    placed("root.json", dumps(standings.trust_root)),
    placed("policy", standings.policy),
    placed("pin.json", dumps({ trust_root: standings.trust_root, policy: standings.policy })),
  ];
  const found = await sorted(files);
  expect([found.roots.length, found.policies.length, isTrustAlone(found)]).toEqual([2, 2, true]);
  expect(isTrustAlone(await sorted([...files, placed("a", "a")]))).toBe(false);
  expect(isTrustAlone(await sorted([]))).toBe(false);
});

test("an acceptance goes with whatever else is given; alone it says that it is of nothing", async () => {
  const { acceptances, evidence } = vectors<{
    readonly acceptances: Readonly<Record<string, Json>>;
    readonly evidence: Readonly<Record<string, Json>>;
  }>("acceptances");
  const shown = placed("accepted.json", dumps(acceptances.alice ?? null));
  const alone = await casesOf(await sorted([shown]), { hash: neverHashed }, () => undefined);
  expect(alone.map(({ lack }) => lack?.kind)).toEqual(["unread"]);
  expect(isTrustAlone(await sorted([shown]))).toBe(false);
  const of = placed("output.json", dumps(evidence.output ?? null));
  const [both] = await casesOf(await sorted([shown, of]), { hash: neverHashed }, () => undefined);
  expect(both?.proof?.shown).toHaveLength(1);
  expect(both?.proof?.beside.acceptances).toHaveLength(1);
});

test("an answer whose text speaks of acceptances is an answer", async () => {
  const { evidence } = vectors<Walks>("walks");
  const text = "see https://assay/acceptance-evidence/v1";
  const answer = placed("answer.json", JSON.stringify({ text, evidence: evidence.output }));
  expect((await sorted([answer])).proofs.map((proof) => proof.text)).toEqual([text]);
});

function neverHashed(): Promise<never> {
  throw new Error("expected no file to be hashed");
}
