// SPDX-License-Identifier: Apache-2.0
/** The verify page without a page: what belongs together, and which sentence says what came of it. */
import { expect, test } from "vitest";
import { inWords } from "../islands/sizes";
import { type Item, pair } from "../islands/verifying/case";
import { withExcerpts } from "../islands/verifying/excerpted";
import { manifestFiles } from "../islands/verifying/finding";
import { judged } from "../islands/verifying/judging";
import { piecesOf } from "../islands/verifying/pieces";
import { isDigest, NO_WITNESSES, type Trust } from "../islands/verifying/trust";
import { filled } from "../islands/verifying/values";
import { saidOf } from "../islands/verifying/words";
import { casesOf } from "../islands/verifying/work";
import { asMapping, type Json } from "../verify/canonical";
import { type Proof, proofIn } from "../verify/commands/inputs";
import type { Verdict } from "../verify/commands/verdict";
import { contentOfFile } from "../verify/hashing";
import { parseTrustRoot } from "../verify/trust";
import { contentOf } from "../verify/verify/report";
import { changed, type Place, vectors } from "./vectors";

type Vectors = {
  readonly trust_root: Json;
  readonly text: string;
  readonly as_of: string;
  readonly evidence: Json;
  readonly files: Readonly<Record<string, string>>;
  readonly mutations?: readonly {
    readonly name: string;
    readonly set?: readonly { readonly path: Place; readonly value: Json }[];
  }[];
};

const given = vectors<Vectors>("evidence");
const takenDown = vectors<Vectors>("takedowns");
const at = new Date(given.as_of);

async function file(name: string, text: string): Promise<Item> {
  return { name, size: text.length, content: await contentOf(text), kind: "file" };
}

async function ofOutput(): Promise<Proof> {
  return proofIn(asMapping(given.evidence, "evidence"));
}

async function ofCheckpoint(): Promise<Proof> {
  return proofIn(asMapping(changed(given.evidence, ["bundles", "output"], undefined), "evidence"));
}

/** Some of the checkpoint's own files, by their digests. */
async function signedFiles(): Promise<readonly Item[]> {
  const { evidence } = await ofCheckpoint();
  return evidence.manifest.files.map(({ name, size, sha256 }) => {
    return { name, size, content: { sha256, normalisedSha256: null }, kind: "file" };
  });
}

test("each thing goes to the evidence that speaks of it, and what is left to none", async () => {
  const proofs = [await ofOutput(), await ofCheckpoint()];
  const [text, other] = [await file("hello.py", given.text), await file("other", "other")];
  const own = await signedFiles();
  const { cases, left } = pair({ items: [other, text, ...own], folder: null, proofs });
  expect(cases.map(({ items }) => items)).toEqual([[text], own]);
  expect(left).toEqual([other]);
});

test("what is given with one piece of evidence is held to it, changed or not", async () => {
  const other = await file("hello.py", "another");
  const { cases, left } = pair({ items: [other], folder: null, proofs: [await ofOutput()] });
  expect([cases.map(({ items }) => items), left]).toEqual([[[other]], []]);
  const [first, ...more] = [other, ...(await signedFiles())];
  const items = [first, ...more].filter((each) => each !== undefined);
  expect(pair({ items, folder: null, proofs: [await ofCheckpoint()] }).cases[0]?.items).toEqual(
    items,
  );
});

test("a file that was given with an evaluation is compared, too", async () => {
  const { trust_root, as_of, evidence } = vectors<Vectors>("evaluations");
  const proof = await proofIn(asMapping(evidence, "evidence"));
  const root = await parseTrustRoot(trust_root);
  const trust: Trust = { root, source: "own", lists: [], witnesses: NO_WITNESSES };
  const found = async (items: readonly Item[]) => {
    const { judgement } = await judged(
      { items, folder: null, proof, lack: null },
      trust,
      new Date(as_of),
    );
    return judgement?.examination.steps.filter(({ outcome }) => outcome === "failed");
  };
  expect(await found([])).toEqual([]);
  const failed = await found([await file("letter.txt", "signed by nobody")]);
  expect(failed?.map(({ code }) => code)).toEqual(["files"]);
});

test("a folder is a checkpoint's, and no file of it an output's that it does not fit", async () => {
  const items = [await file("README.md", "words"), ...(await signedFiles())];
  const proofs = [await ofOutput(), await ofCheckpoint()];
  const { cases, left } = pair({ items, folder: "tiny", proofs });
  expect(cases.map((each) => [each.items.length, each.folder])).toEqual([
    [0, null],
    [items.length, "tiny"],
  ]);
  expect(left).toEqual([]);
});

test("an excerpt goes to each output that it is one of, among several", async () => {
  const { evidence } = vectors<Vectors>("excerpts");
  const proof = () => proofIn(asMapping(evidence, "evidence"));
  const [one, other, none] = [await proof(), await proof(), await ofOutput()];
  const part = await file("part", "    if side < 0:\n        return None");
  const [bare, foreign] = [
    { ...part, content: { ...part.content, text: null } },
    await file("x", "x"),
  ];
  const found = async (items: readonly Item[], proofs: readonly Proof[]) => {
    const { cases, left } = await withExcerpts(pair({ items, folder: null, proofs }));
    return [cases.map((each) => [each.proof, ...each.items]), left];
  };
  expect(await found([part], [none, one])).toEqual([[[none], [one, part]], []]);
  expect(await found([part], [one, other, none])).toEqual([
    [[one, part], [other, part], [none]],
    [],
  ]);
  expect(await found([bare, foreign], [one, none])).toEqual([
    [[one], [none]],
    [bare, foreign],
  ]);
  const contents = [{ file: new File(["def caf\u00e9():"], "a.txt"), path: "a.txt" }];
  const given = {
    contents,
    folder: null,
    proofs: [none, one],
    roots: [],
    policies: [],
    unread: [],
    shown: [],
  };
  const cases = await casesOf(given, { hash: contentOfFile }, () => undefined);
  expect(cases.map(({ items }) => items.map(({ name }) => name))).toEqual([[], ["a.txt"]]);
});

test("the texts of a folder's files are not kept, however many there are", async () => {
  const contents = ["a.txt", "b.txt"].map((name) => ({ file: new File([name], name), path: name }));
  const proofs = [await ofCheckpoint()];
  const rest = { contents, proofs, roots: [], policies: [], unread: [], shown: [] };
  const texts = async (folder: string | null) => {
    const cases = await casesOf({ ...rest, folder }, { hash: contentOfFile }, () => undefined);
    return cases.flatMap(({ items }) => items.map(({ content }) => content.text));
  };
  expect(await texts("tiny")).toEqual([null, null]);
  expect(await texts(null)).toEqual(["a.txt", "b.txt"]);
});

test("the signatures beside a folder's files are none of them, and names are in order", async () => {
  const names = ["model.sig", "b", "a/z", "model.sigstore.json", "A"];
  const items = await Promise.all(names.map((name) => file(name, name)));
  expect(manifestFiles(items).map(({ name }) => name)).toEqual(["A", "a/z", "b"]);
});

async function found(
  items: readonly Item[],
  proof: Proof | null,
  folder: string | null = null,
  root = given.trust_root,
) {
  const trust: Trust = {
    root: await parseTrustRoot(root),
    source: "own",
    lists: [],
    witnesses: NO_WITNESSES,
  };
  const lack = proof === null ? ({ kind: "unknown" } as const) : null;
  return judged({ items, folder, proof, lack }, trust, at);
}

async function said(...of: Parameters<typeof found>) {
  const { mood, sentences } = saidOf(await found(...of), (key) => key);
  return [mood, ...sentences];
}

test("the sentence claims what was established, and no more", async () => {
  const [own, copied, other] = await Promise.all([
    file("a", given.text),
    file("b", given.text.replace("\n", " \n")),
    file("c", "other"),
  ]);
  const proof = await ofOutput();
  expect(await said([own], proof)).toEqual(["sound", "output-server-generated-identical"]);
  expect(await said([copied], proof)).toEqual(["sound", "output-server-generated-normalised"]);
  expect(await said([], proof)).toEqual(["sound", "output-server-generated-none"]);
  expect(await said([other], proof)).toEqual(["broken", "changed-content"]);
  expect(await said([other], null)).toEqual(["none", "unknown"]);
  const files = await signedFiles();
  const checkpoint = await ofCheckpoint();
  expect(await said(files, checkpoint, "tiny")).toEqual(["sound", "checkpoint-whole"]);
  expect(await said(files.slice(1), checkpoint)).toEqual(["sound", "checkpoint-some"]);
  expect(await said([], checkpoint)).toEqual(["sound", "checkpoint-none"]);
  expect(await said(files.slice(1), checkpoint, "tiny")).toEqual(["broken", "changed-files"]);
});

test("that a part is one is said before all else, whatever else there is to say", async () => {
  const { trust_root, as_of, evidence } = vectors<Vectors>("excerpts");
  const proof = await proofIn(asMapping(evidence, "evidence"));
  const root = await parseTrustRoot(trust_root);
  const trust: Trust = { root, source: "own", lists: [], witnesses: NO_WITNESSES };
  const items = [await file("a", "    if side < 0:\n        return None")];
  const own = await judged({ items, folder: null, proof, lack: null }, trust, new Date(as_of));
  const { judgement } = own;
  if (judgement === null) throw new Error("expected a judgement");
  expect(judgement.verdict).toBe("excerpt");
  const saidAs = (verdict: Verdict) => {
    const said = saidOf({ ...own, judgement: { ...judgement, verdict } }, (key) => key);
    return [said.mood, said.headline, ...said.sentences];
  };
  const [first, whole] = ["headline-excerpt", "output-server-generated-excerpt"];
  expect(saidAs("excerpt")).toEqual(["caution", first, whole]);
  const down = ["caution", `${first} headline-taken-down`, whole, "since-taken-down"];
  expect(saidAs("taken-down")).toEqual(down);
  expect(saidAs("stale")).toEqual(["caution", `${first} headline-stale`, "part", "stale"]);
  expect(saidAs("revoked")).toEqual(["caution", `${first} headline-revoked`, "part", "revoked"]);
  expect(saidAs("broken")).toEqual(["broken", "headline-broken", "broken"]);
});

test("a C2PA manifest that does not hold is in the headline, whatever else does", async () => {
  const own = await found([await file("a", given.text)], await ofOutput());
  const broken = { ...own, credentials: { kind: "refused", reason: "why" } } as const;
  const { mood, headline } = saidOf(broken, (key) => key);
  expect([mood, headline]).toEqual(["broken", "headline-manifest"]);
  const other = await found([await file("a", "other")], await ofOutput());
  expect(
    saidOf({ ...broken, ...other, credentials: broken.credentials }, (key) => key).headline,
  ).toBe("headline-changed");
});

test("what was taken down is said with its reason, and for a breach whether before or after", async () => {
  const { trust_root, text, evidence, mutations = [] } = takenDown;
  const [breach] = mutations.filter(({ name }) => name === "taken down for a breach");
  const item = await file("a", text);
  const since = async (document: Json) => {
    const proof = await proofIn(asMapping(document, "evidence"));
    return (await said([item], proof, null, trust_root)).slice(2);
  };
  expect(await since(evidence)).toEqual(["since-taken-down"]);
  const changes = breach?.set ?? [];
  const broken = changes.reduce((all, { path, value }) => changed(all, path, value), evidence);
  expect(await since(broken)).toEqual(["since-breach-standing"]);
});

test("a base that was taken down is said, and where the walk ended", async () => {
  const walks = vectors<Pick<Vectors, "trust_root"> & { evidence: Record<string, Json> }>("walks");
  const [output, base] = await Promise.all(
    [walks.evidence.output, walks.evidence["taken down"]].map((each) =>
      proofIn(asMapping(each ?? null, "evidence")),
    ),
  );
  if (output === undefined || base === undefined) throw new Error("expected two");
  const proof = { ...output, beside: { bases: [base.evidence] } };
  expect(await said([], proof, null, walks.trust_root)).toEqual([
    "sound",
    "output-server-generated-none",
    "continued-from",
    "continued-unknown",
    "base-taken-down",
  ]);
});

test("what stands in a sentence is put in once, whatever it says itself", () => {
  expect(filled("{a} and {b}, {c}", { a: "{b}", b: "$&" })).toBe("{b} and $&, {c}");
});

test("a fingerprint is the same however it was written down", async () => {
  const { fingerprint } = await parseTrustRoot(given.trust_root);
  const groups = fingerprint.toUpperCase().replace(/(.{4})/g, "$1 ");
  for (const written of [fingerprint, ` sha256:${fingerprint}\n`, groups]) {
    expect(isDigest(written, fingerprint)).toBe(true);
  }
  for (const written of ["", "sha256:", fingerprint.slice(1), `${fingerprint}0`]) {
    expect(isDigest(written, fingerprint)).toBe(false);
  }
});

test("the pieces of a part are its own bytes", async () => {
  const { evidence, document } = await ofOutput();
  const bundle = evidence.bundles.output;
  if (bundle === undefined) throw new Error("expected an output");
  const pieces = new Map(
    piecesOf(bundle, document.bundles ?? null).map((each) => [each.name, each.data]),
  );
  expect(pieces.get("statement.json")).toBe(bundle.envelope.payload);
  expect(pieces.get("timestamp.tsr")).toBe(bundle.timestamp);
  expect(String(pieces.get("certificates.pem")).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
});

test("sizes are in the words that the server has for them", () => {
  const sizes = [0, 999, 1000, 7_634_112, 10 ** 16];
  expect(sizes.map(inWords)).toEqual(["0 B", "999 B", "1.0 kB", "7.6 MB", "10000.0 TB"]);
});
