// SPDX-License-Identifier: Apache-2.0
/** Whether what was signed still counts: who was revoked, and how fresh the lists are. */
import type { Bundle } from "../bundle";
import type { Certificate } from "../certificates";
import { statusOf } from "../crls";
import { judge, type Status, seconds } from "../revocation";
import { timestampChain } from "../timestamps";
import type { Established } from "./report";
import type { Basis } from "./requirements";

/**
 * That no certificate of signer and timestamp authority was revoked.
 *
 * Both chains lead to the pinned root already, and `signedAt` is what the timestamp says.
 *
 * 1. Of each certificate but the root, its issuer's list says whether it was revoked. What does not
 *    revoke must still be current at the demanded moment, and not end before the signature.
 * 2. What was revoked fails, as no witnesses prove here that the signature is from before.
 * 3. What is stale or missing fails.
 */
export async function standing(
  bundle: Bundle,
  basis: Basis,
  signedAt: Date,
): Promise<Established<Date>> {
  const { asOf } = basis.requirements;
  const at = asOf > signedAt ? asOf : signedAt;
  const found: [string, Status][] = [];
  for (const [role, certificate, issuer] of certificates(bundle, basis.trust.root)) {
    found.push([role, await statusOf(certificate, issuer, basis.lists, at)]); // 1
  }
  const revoked = found.filter(([, { kind }]) => kind === "revoked");
  for (const [role, status] of [...revoked, ...found]) judge(status, role); // 2, 3
  return [at, `not revoked, as of ${seconds(at)}`];
}

/** Each certificate that the signature rests on, and who issued it. */
function certificates(
  { chain, timestamp }: Bundle,
  root: Certificate,
): readonly (readonly [string, Certificate, Certificate])[] {
  const stamper = timestampChain(timestamp);
  return [
    ["leaf", chain.leaf, chain.intermediate],
    ["intermediate", chain.intermediate, root],
    ["timestamp leaf", stamper.leaf, stamper.intermediate],
    ["timestamp intermediate", stamper.intermediate, root],
  ];
}
