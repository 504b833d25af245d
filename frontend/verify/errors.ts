// SPDX-License-Identifier: Apache-2.0
/** Every way in which verifying can fail, each with the stable code that signing/errors.py gives it. */

export type VerificationCode =
  | "bad-envelope"
  | "untrusted-chain"
  | "wrong-purpose"
  | "bad-signature"
  | "bad-timestamp"
  | "not-in-ledger"
  | "bad-tree-head"
  | "bad-tile"
  | "ledger-forked"
  | "digest-mismatch"
  | "file-mismatch"
  | "text-mismatch"
  | "broken-link"
  | "missing-evidence"
  | "bad-revocation"
  | "certificate-revoked"
  | "revocation-unknown"
  | "not-logged"
  | "wrong-opening"
  | "bad-credentials"
  | "not-witnessed";

/** The base of all errors that this verifier raises on purpose. */
export class AssayError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A document, or one field of it, is not what its format demands. */
export class InvalidDocument extends AssayError {
  constructor(
    readonly field: string,
    readonly expected: string,
    readonly found: string,
  ) {
    super("invalid-document", `${field}: expected ${expected}, found ${found}`);
  }

  /** The same failure, its field named from one level further out. */
  under(prefix: string): InvalidDocument {
    return new InvalidDocument(`${prefix}.${this.field}`, this.expected, this.found);
  }
}

/** Something does not verify; the message says what was expected and what was found. */
export class VerificationError extends AssayError {
  declare readonly code: VerificationCode;

  constructor(code: VerificationCode, message: string) {
    super(code, message);
  }
}
