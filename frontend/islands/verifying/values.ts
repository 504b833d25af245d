// SPDX-License-Identifier: Apache-2.0
/** What stands in a verdict's sentences: names, digests, days and figures, as the steps found them. */
import { strangerOf } from "../../verify/commands/unpinned";
import { failuresOf } from "../../verify/commands/verdict";
import { asId } from "../../verify/digests";
import { knownAs } from "../../verify/pseudonyms";
import type { EvaluationClaim, Metric } from "../../verify/statements/evaluation";
import type { Parts } from "../../verify/verify/artifacts";
import type { Judged, Judgement } from "./judging";
import type { Trust } from "./trust";

export type Values = Readonly<Record<string, string>>;
/** A sentence by its key, with `{name}` where a value stands. */
export type Words = (key: string) => string;

/** By the names that sentences call them; empty where no step established it. */
export function valuesOf({ trust, judgement, refusal, proof, lack }: Judged): Values {
  const { registry } = trust.root;
  if (refusal !== null) {
    const stranger = proof === null ? null : strangerOf(proof.evidence, trust.root);
    const { detail } = refusal;
    const said = { detail: `${capitalised(detail)}.`, digest: detail };
    return { registry, stranger: stranger ?? "", ...said };
  }
  if (judgement !== null) return { registry, ...ofJudgement(judgement, trust) };
  if (lack?.kind === "unread") return { registry, name: lack.name, reason: lack.reason };
  return { registry, within: lack?.kind === "listed" ? lack.within : "" };
}

function ofJudgement({ evidence, examination }: Judgement, { root }: Trust): Values {
  const { steps, parts } = examination;
  const failures = failuresOf(steps);
  return {
    ...ofParts(parts),
    stranger: strangerOf(evidence, root) ?? "",
    steps: failures.map(({ number }) => String(number)).join(", "),
    detail: failures[0] === undefined ? "" : `${capitalised(failures[0].detail)}.`,
  };
}

function ofParts({ output, evaluation, withdrawal, checkpoint, takedown }: Parts): Values {
  const [of, down, measures] = [
    checkpoint.claim.value,
    takedown?.claim.value,
    evaluation?.claim.value,
  ];
  const { signer, signedAt, standing } = output ?? evaluation ?? checkpoint;
  const before = standing.value?.signedBefore ?? signedAt.value;
  const breach = down?.breach ?? null;
  return {
    checkpoint: of === null ? "" : `${of.project}@${of.name}`,
    signer: signer.value === null ? "" : knownAs(signer.value),
    moment: before === null ? "" : moment(before),
    digest: asId(output?.claim.value?.exactSha256 ?? ""),
    reason: down?.reason ?? withdrawal?.claim.value?.reason ?? "",
    day: down ? day(down.takenDownAt) : "",
    clause: breach?.clause ?? "",
    policy: breach === null ? "" : `${breach.conduct.id} ${breach.conduct.version}`,
    ...(measures ? figuresOf(measures) : {}),
  };
}

/** `{name}` gives way to what stands under that name; a value is never looked at again. */
export function filled(sentence: string, values: Values): string {
  return sentence.replace(/\{([A-Za-z]+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** In UTC, to the second. */
export function moment(at: Date): string {
  return at.toISOString().slice(0, 19).replace("T", " ");
}

export function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** What somebody says was measured. */
export function figuresOf({ task, dataset, metrics }: EvaluationClaim): Values {
  return { task, dataset: dataset.name, figures: metrics.map(measured).join("; ") };
}

function measured({ name, value, standardError }: Metric): string {
  return `${name} ${value}${standardError === null ? "" : ` ± ${standardError}`}`;
}

export function capitalised(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
