// SPDX-License-Identifier: Apache-2.0
/** Canonical JSON: what is written, and what no reader may accept. */
import { expect, test } from "vitest";
import {
  base64Bytes,
  dumps,
  instant,
  integer,
  items,
  type Json,
  type JsonObject,
  literal,
  loads,
  loadsCanonical,
  mapping,
  nullable,
  only,
  sha256Hex,
  text,
  utf8,
  within,
} from "../verify/canonical";
import { InvalidDocument } from "../verify/errors";
import { bytes, vectors } from "./vectors";

type Vectors = {
  readonly accepted: readonly { readonly text: string; readonly canonical: string }[];
  readonly refused: readonly { readonly why: string; readonly base64: string }[];
};

const { accepted, refused } = vectors<Vectors>("canonical");
const utf8Bytes = (value: string) => new TextEncoder().encode(value);

test.each(accepted)("$text is written in one form", ({ text: source, canonical }) => {
  expect(utf8(dumps(loads(utf8Bytes(source))))).toBe(canonical);
});

test.each(refused)("$why is refused", ({ base64 }) => {
  expect(() => loads(bytes(base64))).toThrow(InvalidDocument);
});

test("a document in another form than the canonical one is refused where that is asked", () => {
  expect(() => loadsCanonical(utf8Bytes('{"b":1,"a":2}'))).toThrow("expected the canonical form");
});

test("a document over its size is refused before it is read", () => {
  expect(() => loads(utf8Bytes("[1,2,3]"), 6)).toThrow(
    "document: expected at most 6 bytes, found 7",
  );
});

test("a number that is no integer cannot be written", () => {
  expect(() => dumps(1.5)).toThrow("number: expected an integer");
});

const DIGEST = "0f".repeat(32);
const document: JsonObject = {
  at: "2026-11-20T09:30:00Z",
  data: "AAE=",
  digest: DIGEST,
  inner: { a: 1 },
  list: [1, 2],
  name: "Alice",
  nothing: null,
  size: 3,
};

test("each getter reads its own kind", () => {
  expect(text(document, "name")).toBe("Alice");
  expect(integer(document, "size")).toBe(3);
  expect(sha256Hex(document, "digest")).toBe(DIGEST);
  expect([...base64Bytes(document, "data")]).toEqual([0, 1]);
  expect(items(document, "list")).toEqual([1, 2]);
  expect(mapping(document, "inner")).toEqual({ a: 1 });
  expect(instant(document, "at").getTime()).toBe(Date.UTC(2026, 10, 20, 9, 30));
  expect(nullable(document, "nothing", text)).toBeNull();
});

const REFUSALS: readonly [string, () => unknown][] = [
  ['name: expected 3, found "Alice"', () => literal(document, "name", "3")],
  ["absent: expected a value, found no such field", () => text(document, "absent")],
  ["size: expected a string of 1 to 4096 characters, found 3", () => text(document, "size")],
  ["size: expected an integer of at least 4, found 3", () => integer(document, "size", 4)],
  ["name: expected an integer of at least 0", () => integer(document, "name")],
  ["name: expected 64 lower-case hexadecimal characters", () => sha256Hex(document, "name")],
  ["name: expected bytes in standard padded base64", () => base64Bytes(document, "name")],
  ["inner: expected an array, found an object", () => items(document, "inner")],
  ["list: expected at most 1 items, found 2", () => items(document, "list", 1)],
  ["list: expected an object, found an array", () => mapping(document, "list")],
  ["nothing: expected an object, found null", () => mapping(document, "nothing")],
  ["name: expected a time such as", () => instant(document, "name")],
  ["at: expected a time such as", () => instant({ at: "2026-02-30T00:00:00Z" }, "at")],
  ["toString: expected a value, found no such field", () => text({}, "toString")],
];

test.each(REFUSALS)("a getter says: %s", (message, read) => {
  expect(read).toThrow(message);
});

test("a field that a format does not know is refused", () => {
  expect(() => only(document, "name")).toThrow("at: expected no such field, found one");
});

test("a field of an inner document is named from the outer one", () => {
  const read = () => within("outer", () => integer({} as Record<string, Json>, "size"));
  expect(read).toThrow("outer.size: expected a value, found no such field");
});
