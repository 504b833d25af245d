// SPDX-License-Identifier: Apache-2.0
/** What a registry says in the C2PA manifests of media, and how a reading of one is judged. */
import type { Json, JsonObject } from "./canonical";
import {
  asMapping,
  integer,
  items,
  literal,
  mapping,
  only,
  sha256Hex,
  text,
  within,
} from "./canonical";
import { AssayError, InvalidDocument, VerificationError } from "./errors";
import type { Origin, OutputClaim } from "./statements/output";
import { reference } from "./statements/references";

const TYPE = "https://assay/media/v1";
const LABEL_ENDING = "assay.output";
const TRUSTED = "Trusted";
const STAMPED = "timeStamp.trusted";
const VALID = "Valid";
const SIGNER_UNKNOWN = "signingCredential.untrusted";
const UNKNOWN = new Set([SIGNER_UNKNOWN, "timeStamp.untrusted"]);
const MAX_SHOWN = 5;
const ORIGINS: readonly string[] = ["server-generated", "caller-asserted"] satisfies Origin[];

/** Our own assertion: from which checkpoint media are said to come, and on whose word. */
export type Credentials = {
  readonly registry: string;
  readonly output: string;
  readonly claim: string;
  readonly checkpointSha256: string;
  readonly checkpointStatementSha256: string;
  /** Of the checkpoint's statement in the registry's ledger. */
  readonly index: number;
};

/** The name of a registry's own assertion: its host reversed (C2PA 2.2, 6.2), and ours. */
export function label(registry: string): string {
  return [...new URL(registry).hostname.split(".").reverse(), LABEL_ENDING].join(".");
}

/**
 * What a registry's manifest says, by the report of a C2PA library that trusts its root alone.
 *
 * 1. Nothing failed, at any depth: what a manifest was made from is part of it.
 * 2. The signer's certificate leads to the registry's root, and so does the timestamp.
 * 3. There is one manifest: the registry makes media from nothing that has one of its own.
 * 4. It holds the registry's own assertion, once.
 */
export function judge(report: Json, registry: string): Credentials {
  try {
    const document = asMapping(report, "report");
    checkFailures(document); // 1
    checkTrust(document); // 2
    return assertion(onlyManifest(document), registry); // 3, 4
  } catch (error) {
    if (!(error instanceof InvalidDocument)) throw error;
    throw bad(`the C2PA manifest is no registry's: ${error.message}`);
  }
}

/**
 * What a manifest says that is whole, but whose signer leads to no anchor; null of any other.
 *
 * Whose word it is nobody here knows: it is neither believed nor held against the file.
 */
export function ofStranger(report: Json, registry: string): Credentials | null {
  try {
    const document = asMapping(report, "report");
    if (!isWholeByStranger(document)) return null;
    return assertion(onlyManifest(document), registry);
  } catch (error) {
    if (error instanceof AssayError) return null;
    throw error;
  }
}

/**
 * Whether nothing is wrong with a manifest but that nobody here knows who signed it: a camera's, an
 * editor's, another generator's. Of where a file comes from it may say anything.
 */
export function isWholeByStranger(report: Json): boolean {
  const document = asMapping(report, "report");
  const codes = failures(document);
  const isWhole = codes.includes(SIGNER_UNKNOWN) && codes.every((each) => UNKNOWN.has(each));
  return isWhole && document.validation_state === VALID;
}

/** Raise unless the output's statement says the same. */
export function checkSame(found: Credentials, claim: OutputClaim): void {
  const names = ["output", "claim", "checkpointSha256", "checkpointStatementSha256"] as const;
  for (const name of names) {
    if (found[name] === claim[name]) continue;
    const expected = `expected ${claim[name]} in the C2PA manifest, as the output's statement has it`;
    throw new VerificationError("broken-link", `${name}: ${expected}, found ${found[name]}`);
  }
}

function checkFailures(document: JsonObject): void {
  const codes = [...new Set(failures(document))];
  if (codes.length === 0) return;
  const found = codes.slice(0, MAX_SHOWN).join(", ");
  throw bad(`expected a C2PA manifest without any failure, found ${found}`);
}

/** The codes of all failures in a report: of the manifest, of ingredients, of theirs. */
function failures(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(failures);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value as JsonObject).flatMap(([name, inner]) =>
    name === "failure" || name === "validation_status" ? codesOf(inner) : failures(inner),
  );
}

function checkTrust(document: JsonObject): void {
  const state = text(document, "validation_state");
  if (state !== TRUSTED) {
    throw bad(`expected a C2PA manifest that is ${TRUSTED} under the root, found ${state}`);
  }
  const active = mapping(mapping(document, "validation_results"), "activeManifest");
  if (!codesOf(active.success ?? null).includes(STAMPED)) {
    throw bad("expected a timestamp of the registry's authority in the C2PA manifest, found none");
  }
}

function onlyManifest(document: JsonObject): JsonObject {
  const manifests = mapping(document, "manifests");
  const count = Object.keys(manifests).length;
  if (count !== 1) {
    throw bad(
      `expected the one C2PA manifest that a registry makes, found ${count}: ` +
        "others have worked on this file since, or it was made from theirs",
    );
  }
  return mapping(manifests, text(document, "active_manifest"));
}

function assertion(manifest: JsonObject, registry: string): Credentials {
  const wanted = label(registry);
  const found = mappings(items(manifest, "assertions")).filter((each) => each.label === wanted);
  const [first] = found;
  if (first === undefined || found.length !== 1) {
    throw bad(`expected one assertion ${wanted} in the C2PA manifest, found ${found.length}`);
  }
  const credentials = parse(first.data ?? null);
  if (credentials.registry !== registry) {
    throw bad(`expected a C2PA manifest of ${registry}, found one of ${credentials.registry}`);
  }
  return credentials;
}

function parse(value: Json): Credentials {
  const from = asMapping(value, "assertion");
  only(from, "type", "registry", "output", "claim", "checkpoint", "index");
  literal(from, "type", TYPE);
  const checkpoint = mapping(from, "checkpoint");
  const [checkpointSha256, checkpointStatementSha256] = within("checkpoint", () => {
    only(checkpoint, "sha256", "statement");
    return [sha256Hex(checkpoint, "sha256"), reference(checkpoint, "statement")] as const;
  });
  const claim = text(from, "claim");
  if (!ORIGINS.includes(claim)) throw new InvalidDocument("claim", ORIGINS.join(" or "), claim);
  return {
    registry: text(from, "registry"),
    output: text(from, "output"),
    claim,
    checkpointSha256,
    checkpointStatementSha256,
    index: integer(from, "index"),
  };
}

function codesOf(value: Json): string[] {
  return Array.isArray(value) ? mappings(value).map(({ code }) => String(code)) : [];
}

function mappings(values: readonly Json[]): JsonObject[] {
  return values.filter(
    (each): each is JsonObject => each !== null && typeof each === "object" && !Array.isArray(each),
  );
}

function bad(message: string): VerificationError {
  return new VerificationError("bad-credentials", message);
}
