// SPDX-License-Identifier: Apache-2.0
/** What a verifier demands beyond a pinned root, and what one examination rests on. */
import type { Bytes } from "../canonical";
import type { Cosigner } from "../cosignatures";
import type { TrustRoot } from "../trust";

/**
 * No witnesses can be demanded here: which ones to believe is said in a file of the reader's own
 * (`assay verify --policy`), and a page has none. So no time is proven, and what was revoked fails.
 */
export type Requirements = {
  /** The moment for which it must be known whether certificates were revoked. */
  readonly asOf: Date;
};

export type Basis = {
  readonly trust: TrustRoot;
  readonly requirements: Requirements;
  /** The revocation lists at hand (DER), of whatever issuers. */
  readonly lists: readonly Bytes[];
  /** Who is behind the pseudonyms that were opened; null where an opening opens none of them. */
  readonly parties: ReadonlyMap<string, string> | null;
  /** Whom the evidence names as having cosigned its tree heads. No time is proven by that. */
  readonly witnesses: readonly Cosigner[];
};
