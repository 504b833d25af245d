// SPDX-License-Identifier: Apache-2.0
/** Evidence packs, whole and changed, against the vectors that Python's reader is held to. */
import { expect, test } from "vitest";
import { judged } from "../islands/verifying/judging";
import { NO_WITNESSES, type Trust } from "../islands/verifying/trust";
import { readArchive, writeArchive } from "../verify/archive";
import type { Bytes } from "../verify/canonical";
import { proofsIn } from "../verify/commands/inputs";
import { asId, sha256 } from "../verify/digests";
import { parsePack, saysThatItIsAPack } from "../verify/pack";
import { seconds } from "../verify/revocation";
import { contentOf } from "../verify/verify/report";
import { bytes, vectors } from "./vectors";

type Encoded = Readonly<Record<string, string>>;
type Vectors = {
  readonly fingerprint: string;
  readonly policy_sha256: string;
  readonly text: string;
  readonly batched: string;
  readonly as_of: string;
  readonly files: Encoded;
  readonly sha256: string;
  readonly refused: readonly {
    readonly name: string;
    readonly put?: Encoded;
    readonly remove?: readonly string[];
    readonly error: string;
    readonly says: string;
  }[];
  readonly archives: {
    readonly accepted: string;
    readonly files: Encoded;
    readonly refused: readonly {
      readonly name: string;
      readonly archive: string;
      readonly says: string;
    }[];
  };
  readonly named: readonly {
    readonly name: string;
    readonly fingerprint: string | null;
    readonly policy: string | null;
    readonly now: boolean;
    readonly error: string;
  }[];
};

const given = vectors<Vectors>("packs");
const FILES = decoded(given.files);
const PACK = writeArchive(FILES);
const NOW = new Date("2026-11-23T00:00:00.700Z");

function decoded(files: Encoded): Map<string, Bytes> {
  return new Map(Object.entries(files).map(([name, data]) => [name, bytes(data)]));
}

test("the pack is written as it was, and is whose it says", async () => {
  const pack = await parsePack(PACK);
  expect(await sha256(PACK)).toBe(given.sha256);
  expect([pack.trust.fingerprint, pack.policy?.sha256]).toEqual([
    given.fingerprint,
    given.policy_sha256,
  ]);
  const { artifacts, bases, lists, answers, texts, acceptances } = pack;
  const counted = [artifacts, bases, lists, answers, texts, acceptances];
  expect(counted.map(({ length }) => length)).toEqual([2, 1, 8, 1, 1, 1]);
});

test.each(given.refused)("$name is refused", async ({ put = {}, remove = [], error, says }) => {
  const files = new Map([...FILES].filter(([name]) => !remove.includes(name)));
  for (const [name, data] of decoded(put)) files.set(name, data);
  const refused = parsePack(writeArchive(files));
  await expect(refused).rejects.toMatchObject({ code: error });
  await expect(refused).rejects.toThrow(says);
});

test("a text that is too long is refused", async () => {
  const text = new Uint8Array(1024 * 1024 + 1).fill(97);
  const files = new Map([...FILES, [`texts/${await sha256(text)}.txt`, text] as const]);
  await expect(parsePack(writeArchive(files))).rejects.toThrow("at most 1048576 bytes");
});

test.each(given.archives.refused)("an archive: $name", ({ archive, says }) => {
  expect(() => readArchive(bytes(archive))).toThrow(says);
});

test("of the same files there is one archive", () => {
  const files = decoded(given.archives.files);
  const whole = bytes(given.archives.accepted);
  expect(writeArchive(files)).toEqual(whole);
  expect(new Map(readArchive(whole))).toEqual(files);
});

test("there are no more files than may be", () => {
  const many = new Map(Array.from({ length: 1025 }, (_, at) => [`a${at}`, new Uint8Array()]));
  expect(() => writeArchive(many)).toThrow("1 to 1024 files, found 1025");
});

test("no changed byte of a pack is passed over", async () => {
  for (let at = 0; at < PACK.length; at += 4999) {
    const changed = PACK.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    await expect(parsePack(changed)).rejects.toThrow("expected");
  }
});

test("it says what it is by its first file or by its name; other archives say nothing", () => {
  expect(saysThatItIsAPack(PACK.subarray(0, 64), "renamed.zip")).toBe(true);
  expect(saysThatItIsAPack(new Uint8Array(), "cut.assay-pack")).toBe(true);
  expect(saysThatItIsAPack(bytes(given.archives.accepted).subarray(0, 64), "a.zip")).toBe(false);
  expect(saysThatItIsAPack(new TextEncoder().encode("{}"), "answers.json")).toBe(false);
});

/** Judged as the page does, once its reader has named the root in the pack. */
async function judgedBy(policy: string, isNow: boolean, text = given.text) {
  const pack = await parsePack(PACK);
  const witnesses = { ...NO_WITNESSES, digest: policy, isNow };
  const trust: Trust = { root: pack.trust, source: "compared", lists: [], witnesses };
  const content = await contentOf(text);
  const items = [{ name: "a", size: null, content, kind: "text" as const }];
  return Promise.all(
    proofsIn(pack).map((proof) => judged({ items, folder: null, proof, lack: null }, trust, NOW)),
  );
}

const CODES = { "other-policy": "fingerprint-mismatch", unwitnessed: "not-witnessed" } as const;
const byRoot = given.named.filter(({ fingerprint }) => fingerprint === given.fingerprint);

test.each(byRoot)("named: $name", async ({ policy, now, error }) => {
  const [output] = await judgedBy(policy === null ? "" : asId(policy), now);
  const kind = output?.refusal?.kind ?? null;
  expect(kind === null || kind === "stranger-pack" ? "" : CODES[kind]).toBe(error);
  if (kind !== null) return;
  expect(output?.judgement?.verdict).toBe("verified");
  const { asOf } = output?.judgement?.requirements ?? { asOf: new Date(0) };
  expect(seconds(asOf)).toBe(now ? seconds(NOW) : given.as_of);
  expect(asOf.getMilliseconds()).toBe(0);
});

test("each artifact is judged with what is in the pack: its bases, texts, lists and answers", async () => {
  const [output, batched] = await judgedBy(given.policy_sha256, false, given.batched);
  expect(output?.judgement?.verdict).toBe("changed");
  expect(output?.judgement?.examination.bases.map(({ part }) => part)).toEqual(["base-1"]);
  const codes = output?.judgement?.examination.steps.map(({ code }) => code);
  expect(codes).toContain("base-1.conduct.text");
  expect(codes).toContain("output.acceptance-1");
  expect(batched?.judgement?.verdict).toBe("verified");
  expect(batched?.judgement?.examination.parts.output?.claim.value?.claim).toBe("caller-asserted");
});
