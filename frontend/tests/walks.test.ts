// SPDX-License-Identifier: Apache-2.0
/** Walks to the checkpoints that runs continued from, against the vectors that Python is held to. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { parseEvidence } from "../verify/evidence";
import { manifestId } from "../verify/manifest";
import { parseTrustRoot } from "../verify/trust";
import { examineCheckpoint, examineOutput } from "../verify/verify/artifacts";
import { contentOf } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { bytes, vectors } from "./vectors";

type Walk = {
  readonly name: string;
  readonly of: string;
  readonly bases?: readonly string[];
  readonly walked?: readonly string[];
  readonly failed?: readonly string[];
  readonly error?: string;
  readonly texts?: readonly string[];
  readonly lists?: readonly string[];
  readonly said: readonly (readonly [code: string, title: string, detail: string])[];
};
type Vectors = {
  readonly trust_root: Json;
  readonly text: string;
  readonly as_of: string;
  readonly evidence: Readonly<Record<string, Json>>;
  readonly walks: readonly Walk[];
};

const given = vectors<Vectors>("walks");
const named = (name: string) => parseEvidence(given.evidence[name] ?? null);

async function examined({ of, bases = [], texts = [], lists = [] }: Walk) {
  const evidence = await named(of);
  const grounds = groundsOf(
    await parseTrustRoot(given.trust_root),
    { asOf: new Date(given.as_of) },
    {
      bases: await Promise.all(bases.map(named)),
      texts: texts.map(bytes),
      lists: lists.map(bytes),
    },
  );
  if (evidence.bundles.output === undefined) return examineCheckpoint(evidence, grounds, null);
  return examineOutput(evidence, grounds, await contentOf(given.text));
}

test.each(given.walks)("$name", async (walk) => {
  const { steps, bases } = await examined(walk);
  const failures = steps.filter(({ outcome }) => outcome === "failed");
  expect(failures.map(({ code }) => code)).toEqual(walk.failed ?? []);
  expect(failures[0]?.error ?? undefined).toBe(walk.error);
  const below = steps.filter(({ part }) => part === "heads" || part.startsWith("base-"));
  expect(below.map(({ code, title, detail }) => [code, title, detail])).toEqual(walk.said);
  const ids = (walk.walked ?? []).map(async (name) => manifestId((await named(name)).manifest));
  const found = bases.map(({ evidence }) => manifestId(evidence.manifest));
  expect(await Promise.all(found)).toEqual(await Promise.all(ids));
  expect(steps.map(({ number }) => number)).toEqual(steps.map((_, index) => index + 1));
});

test("a text that people read is held to the policy, and no other", async () => {
  const walk = given.walks.find(({ texts }) => texts !== undefined);
  if (walk === undefined) throw new Error("expected a walk with texts");
  const { steps } = await examined(walk);
  const codes = steps.map(({ code }) => code).filter((code) => code.endsWith("conduct.text"));
  expect(codes).toEqual(["conduct.text", "base-1.conduct.text"]);
});
