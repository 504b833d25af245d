// SPDX-License-Identifier: Apache-2.0
/** All that a verifier needs for a checkpoint or an output, in one file. Only the form is checked here. */
import type { Bundle } from "./bundle";
import { isWritten as isWrittenBundle, parseBundle } from "./bundle";
import type { Bytes, Json, JsonObject } from "./canonical";
import { asMapping, base64Bytes, items, literal, mapping, only, text, within } from "./canonical";
import type { Cosigner } from "./cosignatures";
import { parseCosigner } from "./cosignatures";
import { MAX_LISTS } from "./crls";
import { InvalidDocument } from "./errors";
import type { LineList } from "./excerpts";
import { MAX_LINES, parseLines } from "./excerpts";
import type { Manifest } from "./manifest";
import { parseManifest } from "./manifest";
import type { PartyOpening } from "./pseudonyms";
import { openingsIn } from "./pseudonyms";
import type { TensorList } from "./tensors";
import { MAX_STATED, parseTensors } from "./tensors";
import { MAX_SIGNATURE_LINES } from "./treehead";

const LINES = "lines";
const LISTS = "revocation_lists";
const OPENINGS = "openings";
const TENSORS = "tensors";
const WITNESSES = "witnesses";
const OPTIONAL = [LINES, LISTS, OPENINGS, TENSORS, WITNESSES];
export const EVIDENCE_V1 = "https://assay/evidence/v1";

/** The signed parts, from what was said to the rules it was said under. */
export const PARTS = [
  "output",
  "batch",
  "evaluation",
  "withdrawal",
  "checkpoint",
  "model",
  "run",
  "dataset",
  "conduct",
  "takedown",
] as const;
export type Part = (typeof PARTS)[number];

const MAX_WITNESSES = PARTS.length * (MAX_SIGNATURE_LINES - 1); // others in every line of each head

export type Evidence = {
  readonly bundles: Readonly<Partial<Record<Part, Bundle>>>;
  readonly manifest: Manifest;
  readonly policy: JsonObject;
  /** Revocation lists (DER) of those who issued the certificates, as they were then. */
  readonly lists: readonly Bytes[];
  /** Whose the pseudonyms in the certificates are. */
  readonly openings: readonly PartyOpening[];
  /** Those that the checkpoint's statement names, where they are few enough to be stated. */
  readonly tensors: TensorList | null;
  /** Whose lines are in the bundles' tree heads: to read them by, and no reason to believe them. */
  readonly witnesses: readonly Cosigner[];
  /** Of the text that the output's statement is about, where it names them and all may know. */
  readonly lines: LineList | null;
};

/** Read the JSON form (docs/spec/formats.md, section 6). Raises InvalidDocument. */
export async function parseEvidence(value: Json): Promise<Evidence> {
  const document = asMapping(value, "evidence");
  only(document, "type", "bundles", "manifest", "policy", ...OPTIONAL);
  literal(document, "type", EVIDENCE_V1);
  const stated = mapping(document, "bundles");
  const bundles: Partial<Record<Part, Bundle>> = {};
  for (const [name, bundle] of Object.entries(stated)) {
    const part = PARTS.find((known) => known === name);
    if (part === undefined) throw new InvalidDocument("bundles", `only ${PARTS.join(", ")}`, name);
    bundles[part] = within(`bundles.${part}`, () => parseBundle(bundle));
  }
  const manifest = within("manifest", () => parseManifest(mapping(document, "manifest")));
  const policy = mapping(document, "policy");
  const openings = openingsIn(document, OPENINGS);
  const [lists, tensors] = [listsOf(document), tensorsIn(document)];
  const witnesses = await witnessesIn(document);
  const lines = linesIn(document);
  return { bundles, manifest, policy, lists, openings, tensors, witnesses, lines };
}

/**
 * Whether a document that was read stands as it would be written again: nothing is there that may
 * be left out, and nothing is left out that may be there.
 */
export function isWritten(document: JsonObject): boolean {
  const areSaid = [LISTS, OPENINGS, WITNESSES].every(
    (name) => !(name in document) || items(document, name).length > 0,
  );
  const bundles = mapping(document, "bundles");
  return areSaid && Object.keys(bundles).every((name) => isWrittenBundle(mapping(bundles, name)));
}

function tensorsIn(document: JsonObject): TensorList | null {
  return TENSORS in document ? parseTensors(items(document, TENSORS, MAX_STATED)) : null;
}

function linesIn(document: JsonObject): LineList | null {
  return LINES in document ? parseLines(items(document, LINES, MAX_LINES)) : null;
}

function listsOf(document: JsonObject): readonly Bytes[] {
  if (!(LISTS in document)) return [];
  return items(document, LISTS, MAX_LISTS).map((each) => base64Bytes({ [LISTS]: each }, LISTS));
}

async function witnessesIn(document: JsonObject): Promise<readonly Cosigner[]> {
  if (!(WITNESSES in document)) return [];
  const each = items(document, WITNESSES, MAX_WITNESSES);
  return Promise.all(each.map((value) => parseCosigner(text({ [WITNESSES]: value }, WITNESSES))));
}
