// SPDX-License-Identifier: Apache-2.0
/**
 * The eight steps by which one signed part of the evidence is judged, each for itself.
 *
 * 1. `statement`: the payload is a statement of the kind that this part must be, and its claim
 *    holds together.
 * 2. `time`: an RFC 3161 timestamp over the signature, by the registry's own authority, proves by
 *    when it was made.
 * 3. `signer`: at that time, leaf and intermediate lead to the pinned root, are certified for this
 *    purpose, and name whoever may say this: as it is, or under a pseudonym that an opening opens.
 * 4. `sct`: the certificates behind signature and timestamp were in the ledger before they were
 *    used, says the pinned key for that.
 * 5. `revocation`: none of the certificates behind signature and timestamp was revoked, or only from
 *    after the moment by which the signature is proven to have been made (`standing`).
 * 6. `signature`: the leaf's key signed the envelope.
 * 7. `entry`: the ledger entry is the one that this envelope and certificate make, and the proof
 *    leads from it to the stated root.
 * 8. `tree-head`: the pinned ledger signed a tree head of that size and root, and the witnesses that
 *    a policy demands have seen it; of lines whose witnesses the evidence names none was changed.
 */
import type { Bundle } from "../bundle";
import { publicKeyOf } from "../certificates";
import { verifyChain } from "../chains";
import { asId, sha256, toHex } from "../digests";
import { verifyEnvelope } from "../envelope";
import { VerificationError } from "../errors";
import type { Signatory } from "../pseudonyms";
import { inWords, isPseudonym, knownAs } from "../pseudonyms";
import { seconds } from "../revocation";
import { verifySct } from "../scts";
import { PURPOSE_OF, parseStatement } from "../statements/statement";
import { authorityOf, timestampChain, verifyTimestamp } from "../timestamps";
import type { TrustRoot } from "../trust";
import type { Sighting } from "./inclusion";
import { entry, treeHead } from "./inclusion";
import type { Kind } from "./kinds";
import type { Established, Report } from "./report";
import { Finding } from "./report";
import type { Basis } from "./requirements";
import type { Standing } from "./standing";
import { standing } from "./standing";

/** What is known of a part after its eight steps. */
export type Examined<C> = {
  readonly bundle: Finding<Bundle>;
  readonly claim: Finding<C>;
  readonly signer: Finding<Signatory>;
  readonly signedAt: Finding<Date>;
  readonly standing: Finding<Standing>;
  readonly sighting: Finding<Sighting>;
};

/** Take the eight steps for one part. */
export async function examine<C>(
  report: Report,
  kind: Kind<C>,
  bundle: Bundle | undefined,
  basis: Basis,
): Promise<Examined<C>> {
  const { part, noun } = kind;
  const { trust } = basis;
  const given = new Finding(bundle ?? null);
  const claim = await report.check(`${part}.statement`, `The ${noun}'s statement can be read`, () =>
    statementOf(kind, bundle),
  ); // 1
  const signedAt = await report.check(
    `${part}.time`,
    `The ${noun}'s signature has a timestamp of the registry's authority`,
    () => timeOf(given.get(), trust),
  ); // 2
  const signer = await report.check(
    `${part}.signer`,
    `The ${noun}'s signer was certified for this, under the pinned root`,
    () => signerOf(kind, given.get(), { claim: claim.get(), at: signedAt.get(), basis }),
  ); // 3
  await report.check(
    `${part}.sct`,
    `The certificates behind the ${noun} were in the ledger before they were used`,
    () => sct(given.get(), basis, signedAt.get()),
  ); // 4
  const stood = await report.check(
    `${part}.revocation`,
    `No certificate behind the ${noun} was revoked, or only after it was proven`,
    () => stands(given.get(), basis, signedAt.get(), signer.get()),
  ); // 5
  await report.check(`${part}.signature`, `The ${noun}'s statement is what its signer signed`, () =>
    signature(given.get()),
  ); // 6
  await report.check(`${part}.entry`, `The ${noun}'s signature is an entry of the ledger`, () =>
    entry(given.get()),
  ); // 7
  const sighting = await report.check(
    `${part}.tree-head`,
    `The ledger signed the tree that holds the ${part}'s entry`,
    () => treeHead(given.get(), basis),
  ); // 8
  return { bundle: given, claim, signer, signedAt, standing: stood, sighting };
}

/** The digest by which others name a part's statement. */
export async function statementSha256(examined: Examined<unknown>): Promise<string> {
  return sha256(examined.bundle.get().envelope.payload);
}

async function statementOf<C>(kind: Kind<C>, bundle: Bundle | undefined): Promise<Established<C>> {
  if (bundle === undefined) {
    const message = `expected a bundle for the ${kind.noun}, found none`;
    throw new VerificationError("missing-evidence", message);
  }
  const statement = parseStatement(bundle.envelope.payload);
  if (PURPOSE_OF[statement.predicateType] !== kind.purpose) {
    const expected = `expected a statement that keys for ${kind.purpose} may sign`;
    throw new VerificationError("wrong-purpose", `${expected}, found ${statement.predicateType}`);
  }
  const claim = await kind.parse(statement);
  return [claim, kind.inWords(claim)];
}

async function timeOf(bundle: Bundle, trust: TrustRoot): Promise<Established<Date>> {
  const authority = { root: trust.root, uri: authorityOf(trust.registry) };
  const at = await verifyTimestamp(bundle.timestamp, bundle.envelope.signature, authority);
  return [at, `signed by ${seconds(at)}`];
}

async function signerOf<C>(
  kind: Kind<C>,
  bundle: Bundle,
  { claim, at, basis }: { claim: C; at: Date; basis: Basis },
): Promise<Established<Signatory>> {
  const { trust } = basis;
  const demands = { root: trust.root, purpose: kind.purpose, at };
  const uri = await verifyChain(bundle.chain, demands);
  const isHidden = isPseudonym(uri, trust.registry);
  const party = isHidden ? (new Finding(basis.parties).get().get(uri) ?? null) : null;
  const name = knownAs({ uri, party });
  const expected = kind.signer(claim, trust.registry);
  const isExpected = expected.endsWith("/") ? name.startsWith(expected) : name === expected;
  if (!isExpected) {
    const isClosed = isHidden && party === null;
    const closed = `the pseudonym ${uri}, and no opening that says whose it is`;
    const message = `expected the signer ${expected}, found ${isClosed ? closed : name}`;
    throw new VerificationError("broken-link", message);
  }
  const found = { uri, party };
  return [found, `${inWords(found)}, certified for ${kind.purpose}`];
}

/** The signer's certificate, and that of the authority that says when it was. */
async function sct(bundle: Bundle, { trust }: Basis, by: Date): Promise<Established<Date>> {
  const demands = { log: trust.certificateLog, by };
  const at = await verifySct(bundle.chain, demands);
  await verifySct(timestampChain(bundle.timestamp), demands);
  const serial = toHex(bundle.chain.leaf.serial).replace(/^0+/, "");
  return [at, `serial number ${serial}, logged at ${seconds(at)}`];
}

/** Only for a chain that leads to the pinned root: any other says nothing about itself. */
async function stands(
  bundle: Bundle,
  basis: Basis,
  signedAt: Date,
  _signer: Signatory,
): Promise<Established<Standing>> {
  return standing(bundle, basis, signedAt);
}

async function signature(bundle: Bundle): Promise<Established<Bundle>> {
  await verifyEnvelope(bundle.envelope, await publicKeyOf(bundle.chain.leaf));
  return [bundle, `statement ${asId(await sha256(bundle.envelope.payload))}`];
}
