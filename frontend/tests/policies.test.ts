// SPDX-License-Identifier: Apache-2.0
/** Policies of witnesses, against the vectors that Python's reader is held to. */
import { expect, test } from "vitest";
import { InvalidDocument } from "../verify/errors";
import { checkPolicy, MAX_POLICY_BYTES, parsePolicy, parseProof, proofText } from "../verify/tlog";
import { seenOf } from "../verify/verify/requirements";
import { bytes, vectors } from "./vectors";

type Asked = { readonly name: string; readonly policy: string; readonly note: string };
type Vectors = {
  readonly accepted: readonly (Asked & {
    readonly seen_at: Readonly<Record<string, number>>;
    readonly since: number | null;
  })[];
  readonly refused: readonly (Asked & { readonly error: string; readonly says: string })[];
  readonly none: readonly { readonly policy: string; readonly field: string }[];
  readonly quantum: Asked;
};

const given = vectors<Vectors>("policies");
const encoded = (text: string) => new TextEncoder().encode(text);
const check = async ({ policy, note }: Asked) =>
  checkPolicy(await parsePolicy(encoded(policy)), note);

test.each(given.accepted)("$name", async (asked) => {
  const found = await check(asked);
  expect(Object.fromEntries(found.seenAt)).toEqual(asked.seen_at);
  const { since } = seenOf(found);
  expect(since === null ? null : since.getTime() / 1000).toBe(asked.since);
});

test.each(given.refused)("$name is refused", async (asked) => {
  await expect(check(asked)).rejects.toMatchObject({ code: asked.error, message: asked.says });
});

test.each(given.none)("no policy, by its $field", async ({ policy, field }) => {
  await expect(parsePolicy(bytes(policy))).rejects.toMatchObject({ field });
});

test("a policy without end is none", async () => {
  const long = new Uint8Array(MAX_POLICY_BYTES + 1).fill(10);
  await expect(parsePolicy(long)).rejects.toThrow(InvalidDocument);
});

test("whoever signs by ML-DSA alone has said nothing to a browser", async () => {
  await expect(check(given.quantum)).rejects.toMatchObject({ code: "not-witnessed" });
});

const NOTE = given.accepted[0]?.note ?? "";
const FIRST = "c2sp.org/tlog-proof@v1\n";
const HASH = Buffer.alloc(32).toString("base64");

test.each([[`${FIRST}index 3\n${HASH}\n\n${NOTE}`], [`${FIRST}extra AAAA\nindex 0\n\n${NOTE}`]])(
  "a proof is written as it was read",
  (text) => {
    expect(proofText(parseProof(encoded(text)))).toBe(text);
  },
);

test.each([
  ["", "proof"],
  [`c2sp.org/tlog-proof@v2\nindex 0\n\n${NOTE}`, "proof"],
  [`${FIRST}\n${NOTE}`, "index"],
  [`${FIRST}index 01\n\n${NOTE}`, "index"],
  [`${FIRST}index 9007199254740993\n\n${NOTE}`, "index"],
  [`${FIRST}index 0\nextra AAAA\n\n${NOTE}`, "hashes"],
  [`${FIRST}extra !\nindex 0\n\n${NOTE}`, "extra"],
  [`${FIRST}index 0\nAAAA\n\n${NOTE}`, "hashes"],
  [`${FIRST}index 0\n${`${HASH}\n`.repeat(64)}\n${NOTE}`, "hashes"],
  [`${FIRST}${"x".repeat(128 * 1024)}`, "proof"],
])("another text is no proof: %#", (text, field) => {
  expect(() => parseProof(encoded(text))).toThrow(expect.objectContaining({ field }));
});

test("a proof without a tree head is none", () => {
  const bare = encoded(`${FIRST}index 0\n\n`);
  expect(() => parseProof(bare)).toThrow(expect.objectContaining({ code: "bad-tree-head" }));
});
