// SPDX-License-Identifier: Apache-2.0
/**
 * How a verification is kept: its steps in order, and what each established.
 *
 * A step that fails does not stop the others: each says for itself whether it passed, failed or
 * could not be reached for want of something that an earlier one should have established.
 */
import { normalisedText, sha256 } from "../digests";
import { AssayError, InvalidDocument } from "../errors";
import type { Part } from "../evidence";
import { type Excerpt, MAX_EXCERPT_BYTES } from "../excerpts";

export type Outcome = "passed" | "failed" | "not-reached";
export type Match = "identical" | "same after normalising" | "excerpt" | "not compared";
export type BasePart = `base-${number}`;
export type AcceptancePart = `acceptance-${number}`;
export type StepPart =
  | "text"
  | "files"
  | "tensors"
  | "heads"
  | "openings"
  | Part
  | BasePart
  | AcceptancePart;

export type Step = {
  readonly number: number;
  /** What the step is about. */
  readonly part: StepPart;
  /** Stable name of the check, such as `output.signature`; numbers depend on the evidence. */
  readonly code: string;
  readonly title: string;
  /** What was found; for a failure, what was expected and what was found. */
  readonly detail: string;
  readonly outcome: Outcome;
  /** The code of the failure; null for a step that passed or was not reached. */
  readonly error: string | null;
};

/** How content at hand compares with what was signed; of a part, where it stands in that. */
export type Compared = { readonly match: Match; readonly excerpt: Excerpt | null };
export const NOT_COMPARED: Compared = { match: "not compared", excerpt: null };

/** The digests of content at hand, and the text that may be an excerpt of what was signed. */
export type Content = {
  readonly sha256: string;
  readonly normalisedSha256: string | null;
  readonly text?: string | null;
};

/** Of a text. */
export async function contentOf(text: string): Promise<Content> {
  const encoded = new TextEncoder().encode(text);
  return {
    sha256: await sha256(encoded),
    normalisedSha256: await sha256(new TextEncoder().encode(normalisedText(text))),
    text: encoded.length <= MAX_EXCERPT_BYTES ? text : null,
  };
}

/** A step needs what an earlier step did not establish. */
class NotReached extends Error {}

/** What a step established, if it did. */
export class Finding<T> {
  /** null where the step failed. */
  constructor(readonly value: T | null) {}

  /** The value, for a step that cannot do without it. */
  get(): T {
    if (this.value === null) throw new NotReached();
    return this.value;
  }
}

export type Established<T> = readonly [value: T, inWords: string];

/** Collects the steps of one verification in order. The only value here that changes. */
export class Report {
  readonly steps: Step[] = [];

  /** Take one step: `run` returns what it establishes, and in words, or throws why not. */
  async check<T>(
    code: string,
    title: string,
    run: () => Promise<Established<T>> | Established<T>,
  ): Promise<Finding<T>> {
    try {
      const [value, detail] = await run();
      this.add(code, title, { outcome: "passed", detail, error: null });
      return new Finding(value);
    } catch (error) {
      this.add(code, title, failureOf(error));
      return new Finding<T>(null);
    }
  }

  /** Take over the steps of another report, under a name for what they are about. */
  adopt(steps: readonly Step[], under: BasePart): void {
    const before = this.steps.length;
    for (const { number, code, ...rest } of steps) {
      const place = { number: before + number, part: under, code: `${under}.${code}` };
      this.steps.push({ ...rest, ...place });
    }
  }

  private add(code: string, title: string, rest: Pick<Step, "outcome" | "detail" | "error">): void {
    const part = code.split(".")[0] as StepPart;
    this.steps.push({ number: this.steps.length + 1, part, code, title, ...rest });
  }
}

function failureOf(error: unknown): Pick<Step, "outcome" | "detail" | "error"> {
  if (error instanceof NotReached) {
    return { outcome: "not-reached", detail: "an earlier step failed", error: null };
  }
  if (!(error instanceof AssayError)) throw error;
  const code = error instanceof InvalidDocument ? "bad-envelope" : error.code;
  return { outcome: "failed", detail: error.message, error: code };
}
