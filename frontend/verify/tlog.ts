// SPDX-License-Identifier: Apache-2.0
/**
 * Which ledgers and witnesses are believed (C2SP tlog-policy), and proofs to them (tlog-proof).
 *
 * A policy is a reader's own file, a `.tlog-proof` a stranger's. Browsers have no ML-DSA: whoever
 * signs by that alone has said nothing here, and a quorum that needs them is not met.
 */
import type { Bytes } from "./canonical";
import { utf8 } from "./canonical";
import type { Cosigner } from "./cosignatures";
import { parseCosigner, UNSAID, verifyCosignature } from "./cosignatures";
import { equalBytes, fromBase64, toBase64, toHex } from "./digests";
import { InvalidDocument, VerificationError } from "./errors";
import type { TreeHead, Verifier } from "./treehead";
import { isBy, parseVerifier, splitNote, verifyTreeHead } from "./treehead";

export const MAX_POLICY_BYTES = 256 * 1024;
export const MAX_PROOF_CHARACTERS = 128 * 1024;
const MAX_HASHES = 63;
const HASH_BYTES = 32;
const MAX_DEPTH = 32; // of groups in groups: each is a call inside a call
const NONE = "none";
export const PROOF_V1 = "c2sp.org/tlog-proof@v1";
const FORBIDDEN = (byte: number) => byte < 9 || (byte > 10 && byte < 32) || byte === 127;
const INDEX = /^index (0|[1-9][0-9]{0,15})$/;
/** How many words, at least and at most, a line has that begins so. */
const WORDS = {
  log: [2, 3],
  witness: [3, 4],
  group: [4, Number.POSITIVE_INFINITY],
  quorum: [2, 2],
} as const;
const THRESHOLD = /^[1-9][0-9]{0,5}$/;

/** Witnesses, or groups of them, of which so many have to agree. */
export type Group = { readonly threshold: number; readonly members: readonly string[] };

/** Ledgers, witnesses by their names in the file, groups, and the quorum. */
export type Policy = {
  readonly ledgers: readonly Verifier[];
  readonly witnesses: ReadonlyMap<string, Cosigner>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly quorum: string;
};

/** A tree head that a policy accepts, and the evidence: who saw it, in seconds since 1970. */
export type Witnessed = {
  readonly head: TreeHead;
  readonly seenAt: ReadonlyMap<string, number>;
  /** From when on enough of them had seen it (`since`). */
  readonly since: number | null;
};

/** Read a policy file. Raises InvalidDocument with the number of the line. */
export async function parsePolicy(data: Bytes): Promise<Policy> {
  if (data.length > MAX_POLICY_BYTES) {
    throw new InvalidDocument("policy", `at most ${MAX_POLICY_BYTES} bytes`, `${data.length}`);
  }
  if (data.at(-1) !== 10 || data.some(FORBIDDEN)) {
    throw new InvalidDocument("policy", "lines without control characters", "something else");
  }
  const lines = new Lines();
  // Names are bytes to this format, and nothing more: each keeps what it is.
  const text = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  for (const [number, line] of text.split("\n").entries()) {
    const words = line.split(/[ \t]/).filter((word) => word !== "");
    await lines.read(`line ${number + 1}`, words);
  }
  demand("policy", "one quorum", lines.quorum !== "");
  return lines;
}

/**
 * The evidence that this tree head is one of these ledgers', and that the quorum saw it.
 *
 * 1. One of the ledgers, of the note's origin, signed it.
 * 2. No cosignature in the name of a known witness is forged.
 * 3. The witnesses that cosigned make up the quorum.
 */
export async function checkPolicy(policy: Policy, note: string): Promise<Witnessed> {
  const head = await verifyTreeHead(note, ledgerOf(policy, note)); // 1
  const seenAt = new Map<string, number>();
  for (const [name, { name: signs, key }] of policy.witnesses) {
    const at = key === null ? null : await verifyCosignature(note, { name: signs, key }); // 2
    if (at !== null) seenAt.set(name, at);
  }
  const since = sinceOf(policy, policy.quorum, seenAt);
  if (since === null && policy.quorum !== NONE) {
    const seen = [...seenAt.keys()].sort().join(", ") || "nobody"; // 3
    const expected = `expected the witnesses of the quorum ${policy.quorum}`;
    throw new VerificationError("not-witnessed", `${expected}, found ${seen}`);
  }
  return { head, seenAt, since };
}

/**
 * From when on the quorum had seen what these witnesses saw; null if it has not.
 *
 * Of a group it is the time of the member that completes its threshold, in the order of their
 * times. So no fewer witnesses than it takes to deceive about a head can deceive about its time.
 */
function sinceOf(policy: Policy, name: string, seenAt: Witnessed["seenAt"]): number | null {
  const group = policy.groups.get(name);
  if (group === undefined) {
    const at = seenAt.get(name) ?? null;
    return at === UNSAID ? Number.POSITIVE_INFINITY : at;
  }
  const times = group.members
    .map((member) => sinceOf(policy, member, seenAt))
    .filter((at) => at !== null)
    .sort((one, other) => (one < other ? -1 : 1));
  return times[group.threshold - 1] ?? null;
}

function ledgerOf({ ledgers }: Policy, note: string): Verifier {
  const { head, lines } = splitNote(note);
  const found = ledgers.find(
    (ledger) => ledger.origin === head.origin && lines.some((line) => isBy(line, ledger)),
  );
  if (found !== undefined) return found;
  const message = `expected a tree head of a ledger in the policy, found '${head.origin}'`;
  throw new VerificationError("bad-tree-head", message);
}

function isWord(word: string): word is keyof typeof WORDS {
  return Object.hasOwn(WORDS, word);
}

/** What the lines of a policy have said so far; each may only name what stands above it. */
class Lines {
  readonly ledgers: Verifier[] = [];
  readonly witnesses = new Map<string, Cosigner>();
  readonly groups = new Map<string, Group>();
  quorum = "";
  private readonly depths = new Map<string, number>();

  async read(where: string, words: readonly string[]): Promise<void> {
    const [word, first = "", second = "", ...more] = words;
    if (word === undefined || word.startsWith("#")) return;
    const [least, most] = isWord(word) ? WORDS[word] : [1, 0];
    if (!isWord(word) || words.length < least || words.length > most) {
      const expected = "log, witness, group or quorum with its words";
      throw new InvalidDocument(where, expected, `'${words.join(" ").slice(0, 80)}'`);
    }
    switch (word) {
      case "log":
        return this.addLedger(where, await parseVerifier(first));
      case "witness":
        return this.addWitness(where, first, await parseCosigner(second));
      case "group":
        return this.addGroup(where, first, { word: second, members: more });
      case "quorum":
        return this.setQuorum(where, first);
    }
  }

  private setQuorum(where: string, name: string): void {
    const isKnown = name === NONE || this.isDefined(name);
    demand(where, "one quorum of a name defined before", isKnown && this.quorum === "");
    this.quorum = name;
  }

  private addLedger(where: string, ledger: Verifier): void {
    const isNew = this.ledgers.every(({ key }) => !equalBytes(key, ledger.key));
    demand(where, "a ledger's key once", isNew);
    this.ledgers.push(ledger);
  }

  private addWitness(where: string, name: string, witness: Cosigner): void {
    const known = [...this.witnesses.values()].map(({ material }) => toHex(material));
    demand(where, "a witness's key once", !known.includes(toHex(witness.material)));
    demand(where, "a new name", !this.isDefined(name));
    this.witnesses.set(name, witness);
  }

  private addGroup(
    where: string,
    name: string,
    { word, members }: { readonly word: string; readonly members: readonly string[] },
  ): void {
    demand(where, "a new name", !this.isDefined(name));
    const areFree = members.every((member) => member !== NONE && this.isDefined(member));
    const taken = new Set([...this.groups.values()].flatMap((group) => group.members));
    const isOnce = new Set(members).size === members.length;
    const areNew = isOnce && !members.some((member) => taken.has(member));
    demand(where, "members defined before, each in one group only", areFree && areNew);
    const words = new Map([
      ["any", 1],
      ["all", members.length],
    ]);
    const threshold = THRESHOLD.test(word) ? Number(word) : (words.get(word) ?? 0);
    const isPossible = threshold >= 1 && threshold <= members.length;
    demand(where, `any, all or 1 to ${members.length}`, isPossible);
    const depth = 1 + Math.max(...members.map((member) => this.depths.get(member) ?? 0));
    demand(where, `groups in at most ${MAX_DEPTH} groups`, depth <= MAX_DEPTH);
    this.depths.set(name, depth);
    this.groups.set(name, { threshold, members });
  }

  private isDefined(name: string): boolean {
    return this.witnesses.has(name) || this.groups.has(name) || name === NONE;
  }
}

/** A `.tlog-proof`: where an entry is, the hashes that lead to the root, and the tree head. */
export type Proof = {
  readonly index: number;
  readonly hashes: readonly Bytes[];
  readonly note: string;
  /** The application's own; nothing vouches for it. */
  readonly extra: Bytes | null;
};

/** Read a proof without judging it. Raises InvalidDocument, and bad-tree-head for its note. */
export function parseProof(data: Bytes): Proof {
  const text = utf8(data);
  const length = Array.from(text).length;
  if (length > MAX_PROOF_CHARACTERS) {
    const expected = `at most ${MAX_PROOF_CHARACTERS} characters`;
    throw new InvalidDocument("proof", expected, `${length}`);
  }
  const end = text.indexOf("\n\n");
  const [first, ...lines] = (end < 0 ? text : text.slice(0, end)).split("\n");
  demand("proof", PROOF_V1, first === PROOF_V1);
  const stated = lines[0]?.startsWith("extra ") ? lines.shift() : undefined;
  const extra = stated === undefined ? null : decoded(stated.slice("extra ".length));
  demand("extra", "bytes in base64", extra === null || extra.length > 0);
  const index = Number(INDEX.exec(lines.shift() ?? "")?.[1] ?? Number.NaN);
  demand("index", "`index` and a number", Number.isSafeInteger(index));
  demand("hashes", `at most ${MAX_HASHES} lines`, lines.length <= MAX_HASHES);
  const hashes = lines.map(decoded);
  const areHashes = hashes.every((each) => each.length === HASH_BYTES);
  demand("hashes", "SHA-256 in base64", areHashes);
  const note = end < 0 ? "" : text.slice(end + 2);
  splitNote(note);
  return { index, hashes, note, extra };
}

/** The `.tlog-proof` of an entry. */
export function proofText({ index, hashes, note, extra = null }: Stated): string {
  const said = extra === null ? [] : [`extra ${toBase64(extra)}`];
  const lines = [PROOF_V1, ...said, `index ${index}`, ...hashes.map(toBase64)];
  return `${lines.join("\n")}\n\n${note}`;
}

type Stated = Omit<Proof, "extra"> & { readonly extra?: Bytes | null };

function decoded(line: string): Bytes {
  return fromBase64(line) ?? new Uint8Array();
}

function demand(field: string, expected: string, isMet: boolean): void {
  if (!isMet) throw new InvalidDocument(field, expected, "something else");
}
