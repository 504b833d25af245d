// SPDX-License-Identifier: Apache-2.0
/**
 * What is known about a certificate's revocation, and whether what it signed still counts.
 *
 * Nobody's word about a time is taken here: the caller says what is proven.
 */
import { VerificationError } from "./errors";

/** Its issuer revoked it; that stays true after the list that says so has aged. */
export type Revoked = {
  readonly kind: "revoked";
  readonly reason: string;
  readonly revokedAt: Date;
  /** Since when the key is known or thought to be in wrong hands (RFC 5280, 5.3.2). */
  readonly invalidFrom: Date | null;
};
export type Status =
  | { readonly kind: "not-revoked"; readonly saidAt: Date }
  | Revoked
  | { readonly kind: "stale"; readonly thisUpdate: Date; readonly nextUpdate: Date }
  | { readonly kind: "missing" };

// RFC 5280, 5.3.1; a hold, and what is said of attribute authorities, are unspecified here.
const REASONS: Readonly<Record<number, string>> = {
  1: "key-compromise",
  2: "ca-compromise",
  3: "affiliation-changed",
  4: "superseded",
  5: "cessation-of-operation",
  9: "privilege-withdrawn",
};

/** A CRLReason in words. */
export function reasonOf(number: number): string {
  return REASONS[number] ?? "unspecified";
}

/**
 * Of several findings about one certificate the one to go by: revoked, current, stale, none.
 *
 * Of several that revoke it, the one that counts from the earliest; of others, the newest.
 */
export function worst(found: readonly Status[]): Status {
  const revoked = found.filter((each) => each.kind === "revoked");
  const current = found.filter((each) => each.kind === "not-revoked");
  const stale = found.filter((each) => each.kind === "stale");
  return (
    revoked.sort((one, other) => later(countsFrom(one), countsFrom(other)))[0] ??
    current.sort((one, other) => later(other.saidAt, one.saidAt))[0] ??
    stale.sort((one, other) => later(other.nextUpdate, one.nextUpdate))[0] ?? { kind: "missing" }
  );
}

/** The moment from which nothing that it signed counts: the earlier of the two. */
export function countsFrom({ revokedAt, invalidFrom }: Revoked): Date {
  return invalidFrom !== null && invalidFrom < revokedAt ? invalidFrom : revokedAt;
}

/** What a finding that does not revoke is worth at a moment; a later one says no less about it. */
export function atMoment(thisUpdate: Date, nextUpdate: Date, at: Date): Status {
  return at <= nextUpdate
    ? { kind: "not-revoked", saidAt: thisUpdate }
    : { kind: "stale", thisUpdate, nextUpdate };
}

/**
 * Return if what the certificate signed counts.
 *
 * 1. A revoked certificate's signature counts only if it is proven to be from before the moment
 *    that the revocation counts from; without a proven time none does.
 * 2. What is stale or missing fails closed.
 */
export function judge(status: Status, role: string, provenAt: Date | null): void {
  switch (status.kind) {
    case "not-revoked":
      return;
    case "revoked": {
      const from = countsFrom(status); // 1
      if (provenAt !== null && provenAt < from) return;
      throw new VerificationError(
        "certificate-revoked",
        `expected a time proven before ${seconds(from)}, from which the ${role} certificate ` +
          `is revoked (${status.reason}), found ${provenAt === null ? "none" : seconds(provenAt)}`,
      );
    }
    case "stale":
    case "missing":
      throw new VerificationError("revocation-unknown", unknown(status, role)); // 2
  }
}

/** A time as it stands in documents: no fraction of a second. */
export function seconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

function unknown(status: Status, role: string): string {
  const expected = `expected a current statement of its issuer about the ${role} certificate, found`;
  if (status.kind !== "stale") return `${expected} none`;
  return `${expected} one for ${seconds(status.thisUpdate)} to ${seconds(status.nextUpdate)}`;
}

function later(one: Date, other: Date): number {
  return one.getTime() - other.getTime();
}
