// SPDX-License-Identifier: Apache-2.0
/** What must be known with a verdict that holds: what was revoked later, what came before, who saw it. */
import type { AcceptanceEvidence } from "../../verify/acceptance";
import { asId, equalBytes } from "../../verify/digests";
import type { Seen } from "../../verify/verify/requirements";
import { ORDER } from "./branches";
import type { Judged, Judgement } from "./judging";
import { toldOfAcceptance } from "./told";
import { day, filled, moment, type Words } from "./values";

/** After the sentence that says what it is. */
export function furtherOf(judged: Judged, judgement: Judgement, words: Words): readonly string[] {
  return [
    ...revokedLater(judgement, words),
    ...descentOf(judgement, words),
    ...takenDownBelow(judgement, words),
    ...acceptedBy(judged, judgement, words),
  ];
}

/** Beside whose root it rests on: for which moment it is known, and by whose sight. */
export function knownOf(
  { proof }: Judged,
  { requirements, examination }: Judgement,
  words: Words,
): string {
  const asOf = moment(requirements.asOf);
  const { output, evaluation, checkpoint } = examination.parts;
  const seen = (output ?? evaluation ?? checkpoint).sighting.value?.seen ?? null;
  const ofPack = (proof?.pack ?? null) === null ? [] : [words("known-pack")];
  const isNewest = ofPack.length > 0 && seen !== null;
  return [
    filled(words("known-for"), { asOf }),
    ...(isNewest ? ofPack : []),
    seenBy(seen, words),
  ].join(" ");
}

/** Revoked, though only after it was proven; of each part by itself. */
function revokedLater({ examination }: Judgement, words: Words): readonly string[] {
  const { parts, acceptances } = examination;
  // An output of a batch was signed with it: that is said once.
  const own = ORDER.filter((part) => !(part === "output" && parts.batch));
  const signed = [
    ...own.map((part) => [part, parts[part]] as const),
    ...acceptances.map(({ part, examined }) => [part, examined] as const),
  ];
  return signed.flatMap(([part, examined]) => {
    const { revoked = [], provenAt = null } = examined?.standing.value ?? {};
    if (revoked.length === 0 || provenAt === null) return [];
    const values = { part, moment: moment(provenAt), roles: revoked.join(", ") };
    return [filled(words("revoked-later"), values)];
  });
}

/** From which checkpoints it was continued, and where the walk ended for want of evidence. */
function descentOf({ examination }: Judgement, words: Words): readonly string[] {
  const { bases, parts } = examination;
  const names = bases.flatMap(({ below }) => titleOf(below.checkpoint.claim.value));
  const last = (bases.at(-1)?.below ?? parts).run?.claim.value ?? null;
  const joined = names.join(`${words("continued-and")} `);
  const walked = names.length === 0 ? [] : [filled(words("continued-from"), { names: joined })];
  if (last === null || last.parentSha256 === null) return walked;
  const values = { run: last.run, parent: asId(last.parentSha256) };
  return [...walked, filled(words("continued-unknown"), values)];
}

function takenDownBelow({ examination: { bases } }: Judgement, words: Words): readonly string[] {
  return bases.flatMap(({ below: { checkpoint, takedown } }) => {
    const [claim, [name]] = [takedown?.claim.value ?? null, titleOf(checkpoint.claim.value)];
    if (claim === null || name === undefined) return [];
    const registry = checkpoint.claim.value?.registry ?? "";
    const values = { name, registry, day: day(claim.takenDownAt), reason: claim.reason };
    return [filled(words("base-taken-down"), values)];
  });
}

/** Who had accepted the rules, where it is shown; and what was shown for nothing. */
function acceptedBy(judged: Judged, judgement: Judgement, words: Words): readonly string[] {
  const said = judgement.examination.acceptances.flatMap((each) => {
    const told = toldOfAcceptance(each, judgement.examination);
    return told === null ? [] : [filled(words(`says-${told.key}`), told.values)];
  });
  const lost = unusedOf(judged, judgement).map(({ opening: { party } }) =>
    filled(words("acceptance-unused"), { party }),
  );
  return [...said, ...lost];
}

/** The acceptances that a reader gave, of nobody who signed this. */
export function unusedOf({ proof }: Judged, judgement: Judgement): readonly AcceptanceEvidence[] {
  const used = judgement.examination.acceptances.map(({ evidence }) => evidence.bundle.entry);
  const isUsed = ({ bundle }: AcceptanceEvidence) =>
    used.some((each) => equalBytes(each, bundle.entry));
  return (proof?.shown ?? []).filter((each) => !isUsed(each));
}

function titleOf(claim: { project: string; name: string } | null): readonly string[] {
  return claim === null ? [] : [`${claim.project}@${claim.name}`];
}

function seenBy(seen: Seen | null, words: Words): string {
  if (seen === null || seen.witnesses.length === 0) return words("seen-by-nobody");
  const each = seen.witnesses.map(([name, at]) => {
    if (at === null) return name;
    const [on = "", time = ""] = moment(at).split(" ");
    return filled(words("seen-at"), { name, day: on, time });
  });
  return filled(words("seen-by"), { names: each.join(", ") });
}
