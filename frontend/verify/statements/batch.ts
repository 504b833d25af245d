// SPDX-License-Identifier: Apache-2.0
/**
 * The claim about many outputs at once, and the place of one of them in it.
 *
 * Each output of a batch has a statement, as every output has, which nobody signs: these are the
 * leaves of a tree (RFC 9162, section 2), and its root is signed in the place of each.
 */
import type { Bytes, JsonObject } from "../canonical";
import {
  asMapping,
  base64Bytes,
  integer,
  items,
  literal,
  loadsCanonical,
  mapping,
  nullable,
  only,
  sha256Hex,
  text,
  within,
} from "../canonical";
import { fromHex } from "../digests";
import { InvalidDocument } from "../errors";
import { leafHash, verifyInclusion } from "../merkle";
import type { OutputClaim } from "./output";
import type { ConductReference } from "./references";
import { conductReference, reference } from "./references";
import type { Statement } from "./statement";
import { BATCH_V1, expectSubjects, OUTPUT_V1, predicateOf, statementBytes } from "./statement";

const MAX_OUTPUTS = 100_000;
const MAX_HASHES = 63;
const HASH_BYTES = 32;
const FIELDS = ["batch", "count", "claim", "checkpoint", "conduct"] as const;
const PLACED = ["index", "output", "sha256", "normalised", "media_type", "hashes"] as const;

/** One output of a batch: what only its own statement says, and the way to the batch's root. */
export type Placed = {
  readonly index: number;
  readonly output: string;
  readonly exactSha256: string;
  readonly normalisedSha256: string | null;
  readonly mediaType: string;
  readonly hashes: readonly Bytes[];
};

/** These outputs were made from a checkpoint, says whoever signed; nobody else saw it. */
export type BatchClaim = {
  /** Of the tree over the outputs' statements. */
  readonly rootSha256: string;
  readonly batch: string;
  readonly count: number;
  readonly checkpointSha256: string;
  readonly checkpointStatementSha256: string;
  readonly conduct: ConductReference;
};

/** Read the `extra` of a proof, which must be in canonical form. Raises InvalidDocument. */
export function parsePlaced(data: Bytes): Placed {
  const document = asMapping(loadsCanonical(data), "extra");
  only(document, ...PLACED);
  const hashes = items(document, "hashes", MAX_HASHES).map((hash) =>
    base64Bytes({ hashes: hash }, "hashes"),
  );
  if (hashes.some(({ length }) => length !== HASH_BYTES)) {
    throw new InvalidDocument("hashes", "SHA-256 in base64", "something else");
  }
  return {
    index: integer(document, "index"),
    output: text(document, "output"),
    exactSha256: sha256Hex(document, "sha256"),
    normalisedSha256: nullable(document, "normalised", sha256Hex),
    mediaType: text(document, "media_type"),
    hashes,
  };
}

/** Read the claim out of a statement. Raises InvalidDocument. */
export function batchClaim(statement: Statement): BatchClaim {
  const predicate = predicateOf(statement, BATCH_V1, ...FIELDS);
  literal(predicate, "claim", "caller-asserted");
  const checkpoint = mapping(predicate, "checkpoint");
  const rootSha256 = statement.subjects[0].sha256;
  const claim = {
    rootSha256,
    batch: text(predicate, "batch"),
    count: integer(predicate, "count", 1),
    ...within("checkpoint", () => {
      only(checkpoint, "sha256", "statement");
      return {
        checkpointSha256: sha256Hex(checkpoint, "sha256"),
        checkpointStatementSha256: reference(checkpoint, "statement"),
      };
    }),
    conduct: conductReference(predicate, "conduct"),
  };
  if (claim.count > MAX_OUTPUTS) {
    throw new InvalidDocument("count", `an integer of 1 to ${MAX_OUTPUTS}`, `${claim.count}`);
  }
  expectSubjects(statement, { name: "outputs", sha256: rootSha256 });
  return claim;
}

/**
 * What the batch claims of one of its outputs, once the hashes lead from it to the signed root.
 *
 * Raises not-in-ledger.
 */
export async function findOutput(batch: BatchClaim, placed: Placed): Promise<OutputClaim> {
  const leaf = await leafHash(statementBytes(statementOf(batch, placed)));
  const inclusion = { index: placed.index, size: batch.count, proof: placed.hashes };
  await verifyInclusion(leaf, inclusion, fromHex(batch.rootSha256));
  const { output, exactSha256, normalisedSha256, mediaType } = placed;
  const { checkpointSha256, checkpointStatementSha256, conduct } = batch;
  return {
    exactSha256,
    normalisedSha256,
    output,
    claim: "caller-asserted",
    checkpointSha256,
    checkpointStatementSha256,
    conduct,
    mediaType,
    requestCommitment: null,
    generation: null,
    mark: null,
    lines: null,
  };
}

/** The statement of one output, which is a leaf of the batch's tree. */
function statementOf(batch: BatchClaim, placed: Placed): Statement {
  const { exactSha256, normalisedSha256 } = placed;
  const normalised =
    normalisedSha256 === null ? [] : [{ name: "content.normalised", sha256: normalisedSha256 }];
  const predicate: JsonObject = {
    output: placed.output,
    claim: "caller-asserted",
    checkpoint: {
      sha256: batch.checkpointSha256,
      statement: { sha256: batch.checkpointStatementSha256 },
    },
    conduct: { ...batch.conduct },
    media_type: placed.mediaType,
    request: null,
    generation: null,
  };
  const subjects = [{ name: "content", sha256: exactSha256 }, ...normalised] as const;
  return { subjects, predicateType: OUTPUT_V1, predicate };
}
