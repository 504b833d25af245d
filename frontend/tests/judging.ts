// SPDX-License-Identifier: Apache-2.0
/** Judges many documents in one go, for whoever compares that with what Python says. */
import type { Json } from "../verify/canonical";
import { loads } from "../verify/canonical";
import { AssayError } from "../verify/errors";
import { parseEvidence } from "../verify/evidence";
import { parseTrustRoot } from "../verify/trust";
import { examineOutput } from "../verify/verify/artifacts";
import { contentOf } from "../verify/verify/report";
import { groundsOf } from "../verify/verify/requirements";
import { bytes } from "./vectors";

type Given = {
  readonly trust_root: Json;
  readonly as_of: string;
  readonly text: string;
  /** Each in base64. */
  readonly documents: readonly string[];
};

/** Of each step its code, its outcome, its error, and its words; or the code with which reading failed. */
export type Verdict = readonly Said[];
type Said = readonly [code: string, outcome: string, error: string | null, words: string];

export async function judgeAll(given: Given): Promise<readonly Verdict[]> {
  const found: Verdict[] = [];
  for (const each of given.documents) found.push(await judge(given, bytes(each)));
  return found;
}

async function judge(given: Given, document: Uint8Array): Promise<Verdict> {
  try {
    const trust = await parseTrustRoot(given.trust_root);
    const required = { asOf: new Date(given.as_of) };
    const evidence = await parseEvidence(loads(document));
    const content = await contentOf(given.text);
    const { steps } = await examineOutput(evidence, groundsOf(trust, required), content);
    return steps.map(({ code, outcome, error, title, detail }) => {
      // Why something fails may be put in other words; what holds, and how it is called, may not.
      const words = outcome === "passed" ? `${title}: ${detail}` : title;
      return [code, outcome, error, words];
    });
  } catch (error) {
    return [["reading", "failed", error instanceof AssayError ? error.code : `${error}`, ""]];
  }
}
