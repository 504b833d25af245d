// SPDX-License-Identifier: Apache-2.0
/** A witness in the browser: its lines are C2SP's, and no other history gets past it. */
import { beforeAll, describe, expect, test } from "vitest";
import { cosign, parseWitness, verifyCosignature, witnessText } from "../verify/cosignatures";
import { concat, fromHex, toBase64 } from "../verify/digests";
import { InvalidDocument, VerificationError } from "../verify/errors";
import { parseVerifier, splitNote, verifyTreeHead, withoutWitnesses } from "../verify/treehead";
import { see } from "../verify/witness/desk";
import { StaleHead } from "../verify/witness/errors";
import { type Account, begun, newestHead } from "../verify/witness/state";
import { vectors } from "./vectors";

type Step = {
  readonly files: string;
  readonly head: string;
  readonly size: number;
  readonly finds: string;
};
type Vectors = {
  readonly ledger: string;
  readonly witness: { readonly seed: string; readonly verifier: string };
  readonly cosignatures: {
    readonly note: string;
    readonly at: number;
    readonly line: string;
    readonly accepted: readonly { readonly note: string; readonly at: number | null }[];
    readonly refused: readonly { readonly why: string; readonly note: string }[];
  };
  readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly heads: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly looks: readonly { readonly why: string; readonly steps: readonly Step[] }[];
  readonly not_signed: string;
};
const V = vectors<Vectors>("witnessing");
const PKCS8 = fromHex("302e020100300506032b657004220420"); // RFC 8410, 7: what stands before a seed
let key: CryptoKey;

beforeAll(async () => {
  const der = concat(PKCS8, fromHex(V.witness.seed));
  key = await crypto.subtle.importKey("pkcs8", der, "Ed25519", false, ["sign"]);
});

const sign = async (message: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.sign("Ed25519", key, message));

/** Show a head of a history with its files. */
function shown(name: string, size: number, changes: Readonly<Record<string, string>> = {}) {
  const held = { ...V.files[name], ...changes };
  const fetch = async (path: string) => {
    const data = held[path];
    if (data === undefined) throw new VerificationError("missing-evidence", path);
    return fromHex(data);
  };
  return { note: V.heads[name]?.[String(size)] ?? "", fetch, at: 1_763_000_000 + size, sign };
}

async function look(account: Account, step: Step): Promise<[Account, string]> {
  const { note, at } = shown(step.head, step.size);
  let after: Account;
  try {
    after = await see(account, { ...shown(step.files, step.size), note, at });
  } catch (error) {
    if (error instanceof StaleHead) return [account, "stale"];
    throw error;
  }
  if (after.contradiction !== null) return [after, after.contradiction.code];
  return [after, after.heads > account.heads ? "seen" : "same"];
}

const beginning = () => begun(V.ledger, V.witness.verifier);

test.each(V.looks)("$why", async ({ steps }) => {
  let account = beginning();
  for (const step of steps) {
    const [after, finds] = await look(account, step);
    expect(finds).toBe(step.finds);
    account = after;
  }
});

test("what it cosigned verifies, and says since when and how many", async () => {
  const first = await see(beginning(), shown("honest", 5));
  const second = await see(first, shown("honest", 200));
  expect(await see(second, shown("honest", 200))).toBe(second);
  const { heads, since, at, newest } = second;
  expect({ heads, since, at }).toEqual({ heads: 2, since: 1_763_000_005, at: 1_763_000_200 });
  const note = `${newest?.note}${newest?.line}`;
  expect((await verifyTreeHead(note, await parseVerifier(V.ledger))).size).toBe(200);
  expect(await verifyCosignature(note, await parseWitness(V.witness.verifier))).toBe(at);
});

test("who was caught stays caught, and both signed notes are kept", async () => {
  const before = await see(beginning(), shown("honest", 200));
  const caught = await see(before, shown("forked", 300));
  expect(caught.newest).toEqual(before.newest);
  expect(caught.contradiction?.note).toBe(V.heads.forked?.["300"]);
  expect(await see(caught, shown("honest", 300))).toBe(caught);
});

describe("nothing is concluded", () => {
  test("from a head that the ledger did not sign", async () => {
    const looked = see(beginning(), { ...shown("honest", 5), note: V.not_signed });
    await expect(looked).rejects.toMatchObject({ code: "bad-tree-head" });
  });

  test("from tiles of another tree", async () => {
    const before = await see(beginning(), shown("honest", 3));
    const tile = V.files.forked?.["tile/0/000.p/5"] ?? "";
    const looked = see(before, shown("honest", 5, { "tile/0/000.p/5": tile }));
    await expect(looked).rejects.toMatchObject({ code: "bad-tile" });
  });

  test("from an older head without the tiles of the one seen", async () => {
    const seen = await see(beginning(), shown("honest", 200));
    const { fetch } = shown("forked", 5);
    const looked = see(seen, { ...shown("forked", 5), fetch });
    await expect(looked).rejects.toMatchObject({ code: "bad-tile" });
    const none = see(seen, { ...shown("honest", 5), fetch: shown("none", 5).fetch });
    await expect(none).rejects.toMatchObject({ code: "missing-evidence" });
  });

  test("from an older head, whose words say how old", async () => {
    const seen = await see(beginning(), shown("honest", 200));
    await expect(see(seen, shown("honest", 5))).rejects.toThrow(
      "expected at least 200 entries, found an older head of 5",
    );
  });

  test("without the tiles", async () => {
    const looked = see(beginning(), { ...shown("honest", 5), fetch: shown("none", 5).fetch });
    await expect(looked).rejects.toMatchObject({ code: "missing-evidence" });
  });
});

describe("what is remembered is not believed blindly", () => {
  test.each([
    ["another head", (seen: Account) => ({ ...seen, newest: { note: V.not_signed, line: "" } })],
    ["no head, though some were seen", (seen: Account) => ({ ...seen, newest: null })],
    ["a line of nobody", (seen: Account) => ({ ...seen, newest: { ...own(seen), line: "" } })],
    ["another ledger's key", (seen: Account) => ({ ...seen, ledger: "a" })],
  ])("%s", async (_, change) => {
    const seen = await see(beginning(), shown("honest", 5));
    const looked = see(change(seen), shown("honest", 200));
    await expect(looked).rejects.toMatchObject({ code: "witness-state-broken" });
  });

  test("and what is whole is", async () => {
    const seen = await see(beginning(), shown("honest", 5));
    expect((await newestHead(seen)).size).toBe(5);
  });
});

function own(account: Account) {
  if (account.newest === null) throw new Error("expected a head");
  return account.newest;
}

describe("cosignatures", () => {
  const { note, at, line, accepted, refused } = V.cosignatures;

  test("the same key makes the same line as signing/", async () => {
    const witness = await parseWitness(V.witness.verifier);
    expect(await cosign(splitNote(note).head, witness, { at, sign })).toBe(line);
    expect(await witnessText(witness)).toBe(V.witness.verifier);
  });

  test.each(accepted)("a note says when its head was seen: $at", async (each) => {
    expect(await verifyCosignature(each.note, await parseWitness(V.witness.verifier))).toBe(
      each.at,
    );
  });

  test.each(refused)("refused: $why", async (each) => {
    const verdict = verifyCosignature(each.note, await parseWitness(V.witness.verifier));
    await expect(verdict).rejects.toMatchObject({ code: "bad-tree-head" });
  });

  test.each(["", "a", V.ledger, V.witness.verifier.replace(/\+.{8}\+/, "+00000000+")])(
    "no witness's key: %s",
    async (text) => {
      await expect(parseWitness(text)).rejects.toThrow(InvalidDocument);
    },
  );

  test("of a note with other witnesses the ledger's own line is kept", async () => {
    const ledger = await parseVerifier(V.ledger);
    expect(withoutWitnesses(`${note}${line}`, ledger)).toBe(note);
    expect(toBase64((await verifyTreeHead(note, ledger)).root)).toBe(note.split("\n")[2]);
  });
});
