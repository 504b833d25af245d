// SPDX-License-Identifier: Apache-2.0
/**
 * Whether what was signed still counts: who was revoked, what is proven, how fresh the lists are.
 *
 * A revoked certificate fails unless the signature is proven to be from before the moment that the
 * revocation counts from. Proven is what witnesses saw in the ledger (`inclusion.provenAt`); the
 * timestamp authority can be revoked itself, so its word alone rescues nothing.
 */
import type { Bundle } from "../bundle";
import type { Certificate } from "../certificates";
import * as crls from "../crls";
import * as ocspstatus from "../ocspstatus";
import { judge, type Status, seconds, worst } from "../revocation";
import { timestampChain } from "../timestamps";
import { provenAt } from "./inclusion";
import type { Established } from "./report";
import type { Basis } from "./requirements";

const TIMESTAMP_ROLES = ["timestamp leaf", "timestamp intermediate"] as const;
type Role = "leaf" | "intermediate" | (typeof TIMESTAMP_ROLES)[number];
type Judged = readonly [role: Role, certificate: Certificate, issuer: Certificate];

/** How the certificates behind one signature stand. */
export type Standing = {
  /** By when the signature is proven to have been made; null where no witnesses say so. */
  readonly provenAt: Date | null;
  /** What was revoked, though only after that. */
  readonly revoked: readonly Role[];
  /** What the timestamp says; of an authority that was revoked since, what is proven instead. */
  readonly signedBefore: Date;
};

/**
 * How the certificates of signer and timestamp authority stand; raises why they do not.
 *
 * Both chains lead to the pinned root already, and `signedAt` is what the timestamp says.
 *
 * 1. Of each certificate but the root, a list of its issuer or an OCSP answer says whether it was
 *    revoked. What does not revoke must still be current at the demanded moment, and not end
 *    before the signature.
 * 2. What was revoked counts if it is proven to be from before; this is judged first.
 * 3. What is stale or missing fails.
 */
export async function standing(
  bundle: Bundle,
  basis: Basis,
  signedAt: Date,
): Promise<Established<Standing>> {
  const { asOf } = basis.requirements;
  const at = asOf > signedAt ? asOf : signedAt;
  const found: (readonly [Role, Status])[] = [];
  for (const each of certificates(bundle, basis.trust.root)) {
    found.push([each[0], await statusOf(each, basis, at)]); // 1
  }
  const proven = await provenAt(bundle, basis);
  const revoked = found.filter(([, { kind }]) => kind === "revoked");
  for (const [role, status] of [...revoked, ...found]) judge(status, role, proven); // 2, 3
  const roles = revoked.map(([role]) => role);
  const isDated = !roles.some((role) => TIMESTAMP_ROLES.some((each) => each === role));
  const signedBefore = isDated || proven === null ? signedAt : proven;
  const result = { provenAt: proven, revoked: roles, signedBefore };
  return [result, inWords(result, at)];
}

/** Each certificate that the signature rests on, and who issued it. */
function certificates({ chain, timestamp }: Bundle, root: Certificate): readonly Judged[] {
  const stamper = timestampChain(timestamp);
  const [leafRole, intermediateRole] = TIMESTAMP_ROLES;
  return [
    ["leaf", chain.leaf, chain.intermediate],
    ["intermediate", chain.intermediate, root],
    [leafRole, stamper.leaf, stamper.intermediate],
    [intermediateRole, stamper.intermediate, root],
  ];
}

async function statusOf([, certificate, issuer]: Judged, basis: Basis, at: Date): Promise<Status> {
  const { answers, lists, trust } = basis;
  const answered: Status[] = [];
  for (const response of answers) {
    const demands = { log: trust.certificateLog, at };
    answered.push(await ocspstatus.statusOf(certificate, issuer, response, demands));
  }
  return worst([await crls.statusOf(certificate, issuer, lists, at), ...answered]);
}

function inWords({ revoked, provenAt: proven }: Standing, at: Date): string {
  if (revoked.length > 0 && proven !== null) {
    return `${revoked.join(", ")} revoked, but proven to be from before: ${seconds(proven)}`;
  }
  return `not revoked, as of ${seconds(at)}`;
}
