// SPDX-License-Identifier: Apache-2.0
/** What a verifier demands beyond a pinned root, and what one examination rests on. */
import type { AcceptanceEvidence } from "../acceptance";
import type { Bytes } from "../canonical";
import type { Cosigner } from "../cosignatures";
import { UNSAID } from "../cosignatures";
import { VerificationError } from "../errors";
import type { Evidence } from "../evidence";
import type { Policy, Witnessed } from "../tlog";
import { checkPolicy } from "../tlog";
import { verifyTreeHead } from "../treehead";
import type { TrustRoot } from "../trust";

const LAST_SECOND = 253_402_300_799; // of the year 9999, the last that RFC 3339 can write

export type Requirements = {
  /** The moment for which it must be known whether certificates were revoked, in whole seconds. */
  readonly asOf: Date;
  /** Who has to have seen the ledger's tree heads; without one nobody, and no time is proven. */
  readonly policy?: Policy | null;
  /** Take an unbroken part of a text for it: what is left out may change what it means. */
  readonly acceptsExcerpt?: boolean;
};

/** What is at hand besides an artifact's own evidence: none of it is believed for being there. */
export type Beside = {
  /** Revocation lists (DER), of whatever issuers. */
  readonly lists: readonly Bytes[];
  /** OCSP answers (DER), about whatever certificates. */
  readonly answers: readonly Bytes[];
  /** Of checkpoints that runs continued from, in any order; what nothing names is passed over. */
  readonly bases: readonly Evidence[];
  /** Texts of conduct policies, as people read them; likewise. */
  readonly texts: readonly Bytes[];
  /** Of conduct policies, by whomever; those that nobody signed by are passed over. */
  readonly acceptances: readonly AcceptanceEvidence[];
};

/** Whom to trust, what is demanded, and what is at hand. */
export type Grounds = Beside & { readonly trust: TrustRoot; readonly requirements: Requirements };

/** The same, where little or nothing is at hand besides. */
export function groundsOf(
  trust: TrustRoot,
  requirements: Requirements,
  beside: Partial<Beside> = {},
): Grounds {
  const nothing: Beside = { lists: [], answers: [], bases: [], texts: [], acceptances: [] };
  return { trust, requirements, ...nothing, ...beside };
}

/** What every step of one examination rests on. */
export type Basis = Grounds & {
  /** Who is behind the pseudonyms that were opened; null where an opening opens none of them. */
  readonly parties: ReadonlyMap<string, string> | null;
  /** Whom the evidence names as having cosigned its tree heads. No time is proven by that. */
  readonly witnesses: readonly Cosigner[];
};

/** A tree head that enough witnesses have seen: who, when, and since when enough of them. */
export type Seen = {
  /** By their names in the policy, in order; null for one that said no time. */
  readonly witnesses: readonly (readonly [name: string, at: Date | null])[];
  readonly since: Date | null;
};

/** What a policy accepted. */
export function seenOf({ seenAt, since }: Witnessed): Seen {
  const names = [...seenAt].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    witnesses: names.map(([name, at]) => [name, momentOf(at)]),
    since: since === null ? null : momentOf(since),
  };
}

/**
 * When the quorum had seen the newest of these tree heads. Raises not-witnessed if it saw none.
 *
 * That is the moment for which evidence speaks by itself, as a pack is judged.
 */
export async function newestSeen(
  notes: readonly string[],
  trust: TrustRoot,
  policy: Policy | null,
): Promise<Date> {
  if (policy === null) {
    throw notWitnessed("expected a policy that names witnesses, found none");
  }
  const found = await Promise.all(notes.map((note) => seen(note, trust, policy)));
  const times = found.flatMap((each) => (each?.since ? [each.since.getTime()] : []));
  if (times.length === 0) {
    throw notWitnessed(
      `expected a tree head in the evidence that the quorum ${policy.quorum} has seen, ` +
        `found none among ${found.length}`,
    );
  }
  return new Date(Math.max(...times));
}

/** null for a head that proves no time: what is wrong with it is said in the steps. */
async function seen(note: string, trust: TrustRoot, policy: Policy): Promise<Seen | null> {
  try {
    await verifyTreeHead(note, trust.verifier);
    return seenOf(await checkPolicy(policy, note));
  } catch (error) {
    if (error instanceof VerificationError) return null;
    throw error;
  }
}

/** A witness's time; null for what is none. */
function momentOf(seconds: number): Date | null {
  return seconds > UNSAID && seconds <= LAST_SECOND ? new Date(seconds * 1000) : null;
}

function notWitnessed(message: string): VerificationError {
  return new VerificationError("not-witnessed", message);
}
