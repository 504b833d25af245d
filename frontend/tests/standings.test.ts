// SPDX-License-Identifier: Apache-2.0
/** What was revoked before, at and after a proven time: the same verdict as Python, in its words. */
import { expect, test } from "vitest";
import type { Json } from "../verify/canonical";
import { verdictOf } from "../verify/commands/verdict";
import { parseEvidence } from "../verify/evidence";
import { type Status, seconds, worst } from "../verify/revocation";
import { parsePolicy } from "../verify/tlog";
import { parseTrustRoot } from "../verify/trust";
import { examineOutput } from "../verify/verify/artifacts";
import { contentOf } from "../verify/verify/report";
import { groundsOf, newestSeen } from "../verify/verify/requirements";
import { bytes, changed, vectors } from "./vectors";

type Standing = {
  readonly name: string;
  readonly lists?: readonly string[];
  readonly answers?: readonly string[];
  readonly notes?: Readonly<Record<string, string>>;
  readonly asks: boolean;
  readonly failed?: readonly string[];
  readonly error?: string;
  readonly said: Readonly<Record<string, string>>;
  readonly signed_before?: string;
  readonly proven_at?: string | null;
  readonly revoked?: readonly string[];
};
type Vectors = {
  readonly trust_root: Json;
  readonly policy: string;
  readonly text: string;
  readonly as_of: string;
  readonly evidence: Json;
  readonly standings: readonly Standing[];
};

const given = vectors<Vectors>("standings");
const policyOf = () => parsePolicy(new TextEncoder().encode(given.policy));
const noteOf = (part: string) => [
  ...["bundles", part, "verificationMaterial", "tlogEntries", 0],
  ...["inclusionProof", "checkpoint", "envelope"],
];

function document({ lists, notes = {} }: Standing): Json {
  const listed = lists ? changed(given.evidence, ["revocation_lists"], lists) : given.evidence;
  return Object.entries(notes).reduce<Json>(
    (all, [part, note]) => changed(all, noteOf(part), note),
    listed,
  );
}

test.each(given.standings)("$name", async (standing) => {
  const evidence = await parseEvidence(document(standing));
  const trust = await parseTrustRoot(given.trust_root);
  const policy = standing.asks ? await policyOf() : null;
  const grounds = groundsOf(
    trust,
    { asOf: new Date(given.as_of), policy },
    { answers: (standing.answers ?? []).map(bytes) },
  );
  const found = await examineOutput(evidence, grounds, await contentOf(given.text));
  const failures = found.steps.filter(({ outcome }) => outcome === "failed");
  expect(failures.map(({ code }) => code)).toEqual(standing.failed ?? []);
  expect(failures[0]?.error ?? undefined).toBe(standing.error);
  const said = found.steps.filter(({ code }) => code in standing.said);
  expect(Object.fromEntries(said.map(({ code, detail }) => [code, detail]))).toEqual(standing.said);
  if (failures.length > 0) return;
  expect(verdictOf(found, evidence, trust)).toBe("verified");
  const { provenAt = null, revoked, signedBefore } = found.parts.output?.standing.value ?? {};
  expect(signedBefore && seconds(signedBefore)).toBe(standing.signed_before);
  expect(provenAt && seconds(provenAt)).toBe(standing.proven_at);
  expect(revoked).toEqual(standing.revoked);
});

test("of several findings the worst counts, and of each kind the one that says most", () => {
  const [one, two] = [new Date(1000), new Date(2000)];
  const revoked = (invalidFrom: Date | null): Status => {
    return { kind: "revoked", reason: "superseded", revokedAt: two, invalidFrom };
  };
  const current = (saidAt: Date): Status => ({ kind: "not-revoked", saidAt });
  const stale = (nextUpdate: Date): Status => ({ kind: "stale", thisUpdate: one, nextUpdate });
  expect(worst([revoked(null), current(two), revoked(one)])).toEqual(revoked(one));
  expect(worst([stale(two), current(one), current(two)])).toEqual(current(two));
  expect(worst([stale(one), { kind: "missing" }, stale(two)])).toEqual(stale(two));
  expect(worst([])).toEqual({ kind: "missing" });
});

test("evidence speaks for the newest head that enough have seen", async () => {
  const trust = await parseTrustRoot(given.trust_root);
  const { bundles } = await parseEvidence(given.evidence);
  const notes = Object.values(bundles).map(({ proof }) => proof.note);
  const found = await newestSeen([...notes, "no note"], trust, await policyOf());
  expect(seconds(found)).toBe(given.standings[0]?.proven_at);
  const bare = notes.map((note) => note.split("\n").slice(0, 5).join("\n").concat("\n"));
  const message =
    "expected a tree head in the evidence that the quorum two has seen, found none among 5";
  await expect(newestSeen(bare, trust, await policyOf())).rejects.toThrow(message);
  await expect(newestSeen(notes, trust, null)).rejects.toMatchObject({ code: "not-witnessed" });
});
