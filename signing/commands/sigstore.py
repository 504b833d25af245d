# SPDX-License-Identifier: Apache-2.0
"""`assay sigstore verify-bundle`: a Sigstore bundle of anybody, offline, step by step.

Whom to trust is a `trusted_root.json` that you name, or keep beside your pins: none comes with us.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import canonical
from ..digests import is_digest, parse_id, sha256_file
from ..errors import NoTrustRoot, Outcome, Step, VerificationError
from ..sigstore import (
    Identity,
    Message,
    Signed,
    SigstoreBundle,
    TrustedRoot,
    Verification,
    check_subject,
    verify,
)
from ..sigstore.bundle import MAX_BUNDLE_BYTES
from .errors import InputUnreadable
from .methods import TRUSTED_ROOT, add_trusted_root
from .pins import Pins
from .terminal import Ink, Terminal, safe, shortened


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """The words below `assay sigstore`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verifier = verbs.add_parser("verify-bundle", help="who signed a file, and when")
    add = verifier.add_argument
    add("artifact", metavar="FILE_OR_DIGEST", help="what was signed: a file, or sha256:…")
    add("--bundle", required=True, type=Path, metavar="FILE")
    add("--certificate-identity", required=True, metavar="NAME", help="a mail address or a URI")
    add("--certificate-oidc-issuer", required=True, metavar="URL", help="who vouches for it")
    add_trusted_root(verifier)


def trusted_root(arguments: argparse.Namespace) -> TrustedRoot:
    """Whom the user trusts; NoTrustRoot if nobody was named. OSError."""
    path: Path = arguments.trusted_root or Pins.of_user().folder.parent / TRUSTED_ROOT
    if arguments.trusted_root is None and not path.exists():
        raise NoTrustRoot(f"expected --trusted-root, or {path}; found neither")
    with canonical.within(path.name):
        return TrustedRoot.parse(path.read_bytes())


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Verify and say so; a failed step is raised after it was shown."""
    try:
        verified = _verify(arguments)
    except OSError as error:
        raise InputUnreadable(f"{error.filename}: {error.strerror or error}") from error
    except VerificationError as error:
        _print_steps(error.passed if error.step is None else (*error.passed, error.step), terminal)
        raise
    _print_steps(verified.steps, terminal)
    terminal.headline("Verified.", Ink.GREEN)
    who = f"{verified.identity.name} signed it, says {verified.identity.issuer},"
    when = canonical.instant_text(verified.at)
    terminal.columns("", f"{who} before {when}.", indent=2)
    return 0


def _verify(arguments: argparse.Namespace) -> Verification:
    path: Path = arguments.bundle
    with path.open("rb") as file, canonical.within(path.name):
        bundle = SigstoreBundle.parse(file.read(MAX_BUNDLE_BYTES + 1))
    identity = Identity(
        name=arguments.certificate_identity, issuer=arguments.certificate_oidc_issuer
    )
    digest = _digest(arguments.artifact)
    root = trusted_root(arguments)
    verified = verify(bundle, root=root, identity=identity, sha256=bytes.fromhex(digest))
    match verified.content:
        case Signed() as signed:
            check_subject(signed, digest)
        case Message():
            pass  # its signature was over the file itself
    return verified


def _digest(artifact: str) -> str:
    """The SHA-256 of a file, or the one that was given."""
    if artifact.startswith("sha256:"):
        return parse_id(artifact)
    if is_digest(artifact) and not Path(artifact).exists():
        return artifact
    return sha256_file(Path(artifact))[0]


def _print_steps(steps: tuple[Step, ...], terminal: Terminal) -> None:
    for step in steps:
        ink = Ink.RED if step.outcome is Outcome.FAILED else None
        text = f"{step.title}? {safe(shortened(step.detail))}"
        head = f"{terminal.mark(step.outcome)} {step.number} "
        terminal.columns(head, text, indent=4, ink=ink)
    terminal.line()
