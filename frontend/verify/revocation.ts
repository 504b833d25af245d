// SPDX-License-Identifier: Apache-2.0
/** What is known about a certificate's revocation, and whether what it signed still counts. */
import { VerificationError } from "./errors";

export type Status =
  | { readonly kind: "not-revoked" }
  | {
      readonly kind: "revoked";
      readonly reason: string;
      readonly revokedAt: Date;
      readonly invalidFrom: Date | null;
    }
  | { readonly kind: "stale"; readonly thisUpdate: Date; readonly nextUpdate: Date }
  | { readonly kind: "missing" };

/** Of several findings about one certificate the one to go by: revoked, current, stale, none. */
export function worst(found: readonly Status[]): Status {
  for (const kind of ["revoked", "not-revoked", "stale"] as const) {
    const status = found.find((each) => each.kind === kind);
    if (status !== undefined) return status;
  }
  return { kind: "missing" };
}

/** What a finding that does not revoke is worth at a moment; a later one says no less about it. */
export function atMoment(thisUpdate: Date, nextUpdate: Date, at: Date): Status {
  return at <= nextUpdate ? { kind: "not-revoked" } : { kind: "stale", thisUpdate, nextUpdate };
}

/**
 * Return if what the certificate signed counts. Here no time is ever proven: that takes witnesses,
 * and a reader who says which ones to believe. So whatever was revoked fails.
 */
export function judge(status: Status, role: string): void {
  switch (status.kind) {
    case "not-revoked":
      return;
    case "revoked": {
      const from = seconds(earlier(status.revokedAt, status.invalidFrom ?? status.revokedAt));
      throw new VerificationError(
        "certificate-revoked",
        `expected a time proven before ${from}, from which the ${role} certificate is revoked ` +
          `(${status.reason}), found none`,
      );
    }
    case "stale":
    case "missing":
      throw new VerificationError("revocation-unknown", unknown(status, role));
  }
}

/** A time as it stands in documents. */
export function seconds(at: Date): string {
  return at.toISOString().replace(".000Z", "Z");
}

function unknown(status: Status, role: string): string {
  const expected = `expected a current statement of its issuer about the ${role} certificate, found`;
  if (status.kind !== "stale") return `${expected} none`;
  return `${expected} one for ${seconds(status.thisUpdate)} to ${seconds(status.nextUpdate)}`;
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
