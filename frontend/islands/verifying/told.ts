// SPDX-License-Identifier: Apache-2.0
/** What each link of a tree says of its part: as stated, for its checks say whether that holds. */
import { asId } from "../../verify/digests";
import type { Evidence, Part } from "../../verify/evidence";
import type { EvaluationClaim } from "../../verify/statements/evaluation";
import type { Acceptance } from "../../verify/verify/accepted";
import type { Examination, Parts } from "../../verify/verify/artifacts";
import type { Below } from "../../verify/verify/below";
import { inWords } from "../sizes";
import { day, figuresOf } from "./values";

export type Told = {
  /** Which sentence. */
  readonly key: string;
  /** What stands in it, and in the title. */
  readonly values: Readonly<Record<string, string>>;
  /** Of the thing itself; empty where it is the statement that counts. */
  readonly digest: string;
  /** Its page at the registry; empty where it has none of its own. */
  readonly path: string;
};

/** null where the statement could not be read. */
export function toldOf(part: Part, parts: Parts, evidence: Evidence): Told | null {
  switch (part) {
    case "output":
      return ofOutput(parts);
    case "evaluation":
      return ofEvaluation(parts.evaluation?.claim.value ?? null);
    case "withdrawal":
      return plain(part, parts.withdrawal?.claim.value, ({ reason }) => ({ reason }));
    case "batch":
      return plain(part, parts.batch?.claim.value, ({ count }) => ({ count: String(count) }));
    case "takedown":
      return plain(part, parts.takedown?.claim.value, ({ reason, takenDownAt }) => ({
        reason,
        day: day(takenDownAt),
      }));
    case "checkpoint":
    case "model":
      return ofCheckpoint(parts, evidence);
    case "run":
      return ofRun(parts);
    case "dataset":
      return ofDataset(parts);
    case "conduct":
      return ofConduct(parts);
  }
}

function plain<C>(
  key: string,
  claim: C | null | undefined,
  values: (claim: C) => Told["values"],
): Told | null {
  return claim ? { key, values: values(claim), digest: "", path: "" } : null;
}

function ofOutput({ output, batch }: Parts): Told | null {
  const claim = output?.claim.value;
  if (!claim) return null;
  const path = batch ? "" : `/outputs/${claim.output}`; // those of a batch have no page each
  return { key: `output-${claim.claim}`, values: {}, digest: claim.exactSha256, path };
}

function ofEvaluation(claim: EvaluationClaim | null): Told | null {
  return plain("evaluation", claim, figuresOf);
}

function ofCheckpoint({ checkpoint }: Parts, { manifest }: Evidence): Told | null {
  const claim = checkpoint.claim.value;
  if (claim === null) return null;
  const { project, name, manifestSha256 } = claim;
  const size = manifest.files.reduce((sum, file) => sum + file.size, 0);
  return {
    key: "checkpoint",
    values: { project, name, files: String(manifest.files.length), size: inWords(size) },
    digest: manifestSha256,
    path: `/${project}/${name}`,
  };
}

function ofRun({ run, checkpoint }: Parts): Told | null {
  const claim = run?.claim.value;
  if (!claim) return null;
  const project = checkpoint.claim.value?.project ?? "";
  const loss = Number(claim.validationLoss).toFixed(2);
  return {
    key: "run",
    values: { step: String(claim.step), loss },
    digest: "",
    path: project === "" ? "" : `/${project}/runs/${claim.run}`,
  };
}

function ofDataset({ dataset }: Parts): Told | null {
  const claim = dataset?.claim.value;
  if (!claim) return null;
  const { title, files, bytes, license, manifestSha256 } = claim;
  const values = { title, files: String(files), size: inWords(bytes), license };
  return { key: "dataset", values, digest: manifestSha256, path: "" };
}

function ofConduct({ conduct }: Parts): Told | null {
  const claim = conduct.claim.value;
  if (claim === null) return null;
  const { id, version, sha256 } = claim.conduct;
  const values = { title: claim.title, version };
  return { key: "conduct", values, digest: sha256, path: `/conduct/${id}/${version}` };
}

/** Whose it is as shown, what they signed by it, and by which key they accepted, if by one. */
export function toldOfAcceptance(
  { evidence, examined, of, keySha256 }: Acceptance,
  { bases }: Pick<Examination, "bases">,
): Told | null {
  const claim = examined.claim.value;
  if (claim === null) return null;
  const { party } = evidence.opening;
  const { id, version } = claim.conduct;
  const names = new Map(bases.map(({ part, below }) => [part as string, titleOf(below)]));
  const values = {
    party: party.slice(party.lastIndexOf("/") + 1),
    policy: id,
    version,
    day: day(claim.acceptedAt),
    entry: String(evidence.bundle.proof.index),
    signed: of.map((name) => names.get(name) ?? name).join(", "),
    key: keySha256 === null ? "" : asId(keySha256),
  };
  const key = keySha256 === null ? "acceptance" : "acceptance-by-key";
  return { key, values, digest: "", path: `/conduct/${id}/${version}` };
}

function titleOf({ checkpoint }: Below): string {
  const claim = checkpoint.claim.value;
  return claim === null ? "" : `${claim.project}@${claim.name}`;
}
