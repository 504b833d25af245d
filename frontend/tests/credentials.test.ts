// SPDX-License-Identifier: Apache-2.0
/** What a C2PA library reports of media, against the vectors that Python's judgement is held to. */
import { expect, test } from "vitest";
import { type Json, type JsonObject, mapping, text } from "../verify/canonical";
import {
  type Credentials,
  checkSame,
  isWholeByStranger,
  judge,
  label,
  ofStranger,
} from "../verify/credentials";
import { VerificationError } from "../verify/errors";
import type { OutputClaim } from "../verify/statements/output";
import { vectors } from "./vectors";

type Vectors = {
  readonly registry: string;
  readonly said: JsonObject;
  readonly accepted: Json;
  readonly refused: readonly { readonly why: string; readonly report: Json }[];
  readonly strangers: readonly Json[];
  readonly no_strangers: readonly { readonly why: string; readonly report: Json }[];
};

const given = vectors<Vectors>("credentials");
const found = (): Credentials => judge(given.accepted, given.registry);

test("what a manifest says is read", () => {
  const checkpoint = mapping(given.said, "checkpoint");
  expect(found()).toMatchObject({
    registry: given.registry,
    output: text(given.said, "output"),
    claim: "caller-asserted",
    checkpointSha256: text(checkpoint, "sha256"),
  });
});

test.each(given.refused)("$why is refused", ({ report }) => {
  expect(() => judge(report, given.registry)).toThrow(
    expect.objectContaining({ code: "bad-credentials" }) as Error,
  );
});

test("a whole manifest by somebody unknown is read, and not believed", () => {
  for (const report of given.strangers) {
    expect(ofStranger(report, given.registry)).toEqual(found());
    expect(() => judge(report, given.registry)).toThrow(VerificationError);
  }
});

test("a whole manifest of others names nothing of ours, and is no broken one", () => {
  const [stranger] = given.strangers;
  const bare = JSON.parse(JSON.stringify(stranger).replaceAll("assay.output", "camera.shot"));
  expect(ofStranger(bare, given.registry)).toBeNull();
  expect(isWholeByStranger(bare)).toBe(true);
  const broken = [{ code: "assertion.dataHash.mismatch" }];
  expect(isWholeByStranger({ ...bare, validation_status: broken })).toBe(false);
  expect(isWholeByStranger({ ...bare, validation_state: "Invalid" })).toBe(false);
});

test.each(given.no_strangers)("$why is no stranger's", ({ report }) => {
  expect(ofStranger(report, given.registry)).toBeNull();
});

test("the assertion is named by the registry's host, reversed", () => {
  expect(label("https://models.example.org")).toBe("org.example.models.assay.output");
  expect(label("http://localhost:8000")).toBe("localhost.assay.output");
});

test("another output's manifest is told apart", () => {
  const same = found() as unknown as OutputClaim;
  checkSame(found(), same);
  for (const name of ["output", "claim", "checkpointSha256", "checkpointStatementSha256"]) {
    expect(() => checkSame(found(), { ...same, [name]: "another" })).toThrow(VerificationError);
  }
});
