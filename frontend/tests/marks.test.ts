// SPDX-License-Identifier: Apache-2.0
/** What a statement says of a watermark, against the vectors that Python's reader is held to. */
import { expect, test } from "vitest";
import { dumps, type Json } from "../verify/canonical";
import { InvalidDocument } from "../verify/errors";
import { outputClaim } from "../verify/statements/output";
import { parseStatement } from "../verify/statements/statement";
import { changed, vectors } from "./vectors";

type Said = { readonly why: string; readonly generation: Json };
type Vectors = {
  readonly statement: Json;
  readonly accepted: readonly (Said & { readonly mark: Json })[];
  readonly refused: readonly Said[];
};

const given = vectors<Vectors>("marks");
const claimed = (generation: Json) =>
  parseStatement(dumps(changed(given.statement, ["predicate", "generation"], generation)));

test.each(given.accepted)("$why is read", ({ generation, mark }) => {
  expect(outputClaim(claimed(generation)).mark).toEqual(mark);
});

test.each(given.refused)("$why is no mark", ({ generation }) => {
  expect(() => outputClaim(claimed(generation))).toThrow(InvalidDocument);
});
