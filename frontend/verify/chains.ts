// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a leaf and its intermediate lead to a pinned root, for one purpose, at one time.
 *
 * All is read from the certificates' one form (forms), so that every verifier comes to the same
 * end. Whether a certificate was revoked is left to others.
 */
import type { Bytes } from "./canonical";
import type { Certificate, Chain, Purpose } from "./certificates";
import { keyOf, NUMBERS, publicKeyOf } from "./certificates";
import * as der from "./der";
import { equalBytes, fromHex } from "./digests";
import { VerificationError } from "./errors";
import type { Extension } from "./forms";
import * as forms from "./forms";
import { seconds } from "./revocation";

const ARC = "2.25.55496464810101472194271188265311006923";
const PURPOSES = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
const CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1";
const DIGITAL_SIGNATURE = fromHex("03020780");
const MAY_SIGN_CERTIFICATES = 0x04; // RFC 5280, 4.2.1.3: keyCertSign, in the first octet

export type ChainDemands = {
  readonly root: Certificate;
  readonly purpose: Purpose;
  readonly at: Date;
};

/**
 * Check a chain and return the URI that its leaf is about.
 *
 * 1. All three are in a registry's form, each with no extensions but those that it may have.
 * 2. Every certificate, the root too, is valid at `at`.
 * 3. The path leaf → intermediate → root holds (RFC 5280), with no other anchor in sight.
 * 4. Leaf and intermediate carry the purpose, and no other.
 * 5. The leaf's key is for signing, on P-256, used as the purpose demands, and issues nothing.
 * 6. The leaf names exactly one subject, a URI.
 */
export async function verifyChain(chain: Chain, demands: ChainDemands): Promise<string> {
  const { leaf, intermediate } = chain;
  checkForm("leaf", leaf); // 1
  checkForm("intermediate", intermediate);
  checkForm("root", demands.root);
  checkValidity("leaf", leaf, demands.at); // 2
  checkValidity("intermediate", intermediate, demands.at);
  checkValidity("root", demands.root, demands.at);
  await checkPath(chain, demands.root); // 3
  checkPurpose("leaf", leaf, demands.purpose); // 4
  checkPurpose("intermediate", intermediate, demands.purpose);
  await publicKeyOf(leaf); // 5
  checkLeaf(leaf, demands.purpose);
  return subjectUri(leaf); // 6
}

/** The one URI that a certificate is about, whoever issued it. */
export function subjectUri(leaf: Certificate): string {
  const [uri, ...rest] = forms.urisOf(leaf);
  if (uri === undefined || rest.length > 0) {
    throw untrusted("expected a leaf that names one URI, found other names");
  }
  return uri;
}

/** That a certificate's key signed it, or another's. */
export async function isIssuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const { name, hash, width, algorithm } = issuer.curve;
  const raw = der.ecdsaFromDer(certificate.signature, width);
  const key = await keyOf(issuer);
  const isStated = equalBytes(certificate.algorithm, algorithm);
  if (!equalBytes(certificate.issuer, issuer.subject) || !isStated || !raw || !key) return false;
  const kind = { name: "ECDSA", namedCurve: name, hash };
  return crypto.subtle.verify(kind, key, raw, certificate.body.encoded);
}

/** That a certificate is an authority over exactly one level of others. */
export function isRoot(certificate: Certificate): boolean {
  return lengthOf(certificate) === 1;
}

function checkForm(role: string, certificate: Certificate): void {
  if (forms.hasItsExtensions(certificate, role !== "leaf")) return;
  throw untrusted(`expected a ${role} certificate of a registry, found another's extensions`);
}

function checkValidity(role: string, { startsAt, endsAt }: Certificate, at: Date): void {
  if (at < startsAt || at > endsAt) {
    throw untrusted(
      `expected the ${role} certificate to be valid at ${seconds(at)}, ` +
        `found it valid from ${seconds(startsAt)} to ${seconds(endsAt)}`,
    );
  }
}

async function checkPath({ leaf, intermediate }: Chain, root: Certificate): Promise<void> {
  const isPath =
    isAuthority(intermediate, 0) &&
    isAuthority(root, 1) &&
    (await isIssuedBy(leaf, intermediate)) &&
    (await isIssuedBy(intermediate, root));
  if (!isPath) throw untrusted("expected a chain to the pinned root, found another");
}

function isAuthority(certificate: Certificate, below: number): boolean {
  const usage = forms.extensionOf(certificate, forms.KEY_USAGE);
  const bits = usage && der.whole(usage.value, der.BIT_STRING)?.content[1];
  const isCritical = forms.extensionOf(certificate, forms.CONSTRAINTS)?.isCritical ?? false;
  const length = lengthOf(certificate);
  return isCritical && length !== null && length >= below && hasBit(bits, MAY_SIGN_CERTIFICATES);
}

/** How many levels of authorities it may have below it; null for what is no authority. */
function lengthOf(certificate: Certificate): number | null {
  const found = forms.extensionOf(certificate, forms.CONSTRAINTS);
  const parts = found && der.inside(der.whole(found.value, der.SEQUENCE));
  const [isCa, length] = parts ?? [];
  if (isCa === undefined || !equalBytes(isCa.encoded, der.TRUE)) return null;
  return length === undefined ? Number.POSITIVE_INFINITY : (length.content[0] ?? null);
}

function hasBit(bits: number | undefined, bit: number): boolean {
  return bits !== undefined && (bits & bit) !== 0;
}

function checkPurpose(role: string, certificate: Certificate, purpose: Purpose): void {
  const { value } = present(forms.extensionOf(certificate, forms.POLICIES));
  if (equalBytes(value, policiesOf(purpose))) return;
  const named = PURPOSES.find((other) => equalBytes(value, policiesOf(other)));
  const expected = `expected the ${role} certificate to be for ${purpose}`;
  throw wrongPurpose(`${expected}, found it for ${named ?? "something else"}`);
}

function present(extension: Extension | undefined): Extension {
  if (extension === undefined) {
    throw untrusted("expected an extension that such certificates have, found none");
  }
  return extension;
}

/** The purpose alone, without qualifiers: what they say would have to be shown to people. */
function policiesOf(purpose: Purpose): Bytes {
  return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, policyOf(purpose)));
}

/** The object identifier of a purpose, which is a timestamp's policy too. */
export function policyOf(purpose: Purpose): Bytes {
  return der.objectIdentifier(`${ARC}.1.${NUMBERS[purpose]}`);
}

function checkLeaf(leaf: Certificate, purpose: Purpose): void {
  const key = present(forms.extensionOf(leaf, forms.KEY_USAGE));
  if (!equalBytes(key.value, DIGITAL_SIGNATURE) || !key.isCritical) {
    throw wrongPurpose("expected the key usage digitalSignature, critical and alone");
  }
  const extended = present(forms.extensionOf(leaf, forms.EXTENDED_USAGE));
  const expected = der.encode(der.SEQUENCE, ...usagesOf(purpose).map(der.objectIdentifier));
  if (!equalBytes(extended.value, expected)) {
    throw wrongPurpose(`expected the extended key usage that ${purpose} demands, alone`);
  }
  if (purpose === "timestamp" && !extended.isCritical) {
    throw wrongPurpose("expected the extended key usage timeStamping to be critical");
  }
  if (forms.extensionOf(leaf, forms.CONSTRAINTS) !== undefined) {
    throw wrongPurpose("expected a leaf without basic constraints, found one that has them");
  }
}

function usagesOf(purpose: Purpose): readonly string[] {
  if (purpose === "timestamp") return [TIME_STAMPING];
  return purpose === "c2pa" ? [EMAIL_PROTECTION, CLAIM_SIGNING] : [CODE_SIGNING];
}

function untrusted(message: string): VerificationError {
  return new VerificationError("untrusted-chain", message);
}

function wrongPurpose(message: string): VerificationError {
  return new VerificationError("wrong-purpose", message);
}
