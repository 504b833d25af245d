# SPDX-License-Identifier: Apache-2.0
"""How programs that Assay did not write check a link: the exact commands, to paste into a shell.

tests/frontend runs these very commands, so that a page never promises what a program does not do.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import quote

from django.conf import settings

from assay.signing.manifest import SIGNATURE_NAME, SIGSTORE_NAME, Manifest
from assay.signing.sigstore import Identity

# Silent but for errors, of which an HTTP status is one: else its body would pass for the file.
CURL = "curl -fsS"
MODEL_SIGNING = "model_signing"
HEADER = '-H "Authorization: Bearer $ASSAY_TOKEN"'
ROOT_PATH = "/.well-known/assay/root.pem"
CONFIG = "trust_config.json"
SIGNATURE_PIECES = (
    "signed.bin",
    "signature.der",
    "certificate.pem",
    "intermediate.pem",
    "timestamp.tsr",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One program, what to type, and what it answers when it agrees."""

    program: str
    command: str
    answer: str

    def with_token(self) -> Self:
        """The same check of what only its caller may read."""
        return replace(self, command=with_token(self.command))


def text_digest(output: str, sha256: str) -> Check:
    """The text is the statement's subject."""
    url = f"{settings.PUBLIC_URL}/outputs/{output}/text"
    return Check(program="sha256sum", command=f"{CURL} {url} | sha256sum", answer=sha256)


def policy_digest(path: str, sha256: str) -> Check:
    """The policy document is the statement's subject."""
    url = f"{settings.PUBLIC_URL}{path}/policy.json"
    return Check(program="sha256sum", command=f"{CURL} {url} | sha256sum", answer=sha256)


def leaf_hash(index: int, sha256: str) -> Check:
    """The entry's bytes are what the tree has a hash of (RFC 9162, 2.1.1)."""
    url = f"{settings.PUBLIC_URL}/ledger/entries/{index}.entry"
    command = f"{{ printf '\\0'; {CURL} {url}; }} | sha256sum"
    return Check(program="sha256sum", command=command, answer=sha256)


def certificate(index: int, *, has_chain: bool) -> Check:
    """What an entry's certificate says; and where its issuer is known, that the root is behind it.

    A precertificate has a critical extension by which no program takes it for a certificate, and
    whatever is in a ledger may have expired since.
    """
    file = f"{index}.pem"
    lines = [f"{CURL} -O {settings.PUBLIC_URL}/ledger/entries/{file}"]
    if has_chain:
        chain = f"-untrusted {file} {file}"
        lines += [
            root(),
            f"openssl verify -no_check_time -ignore_critical -CAfile root.pem {chain}",
        ]
    lines.append(f"openssl x509 -in {file} -noout -text")
    answer = f"{file}: OK" if has_chain else "Certificate:"
    return Check(program="openssl", command="\n".join(lines), answer=answer)


def signature(index: int) -> Check:
    """The certificate's key signed a file that the reader has."""
    base = f"{settings.PUBLIC_URL}/ledger/entries/{index}"
    command = "\n".join(
        (
            f"{CURL} -O {base}.pem -O {base}.sig",
            f"openssl x509 -in {index}.pem -noout -pubkey -out key.pem",
            f"openssl dgst -sha256 -verify key.pem -signature {index}.sig FILE",
        )
    )
    return Check(program="openssl", command=command, answer="Verified OK")


def openssl(statement: str) -> Check:
    """The leaf's key signed the statement, the root stands behind the leaf, the time is proved."""
    base = settings.PUBLIC_URL
    pieces = f"{base}/ledger/statements/{statement}/{{{','.join(SIGNATURE_PIECES)}}}"
    command = "\n".join(
        (
            f"{CURL} --fail-early --remote-name-all {shlex.quote(pieces)} {base}{ROOT_PATH}",
            "openssl verify -CAfile root.pem -untrusted intermediate.pem certificate.pem",
            "openssl x509 -in certificate.pem -noout -pubkey -out key.pem",
            "openssl dgst -sha256 -verify key.pem -signature signature.der signed.bin",
            "openssl ts -verify -data signature.der -in timestamp.tsr -CAfile root.pem",
        )
    )
    return Check(program="openssl", command=command, answer="Verified OK")


def model_signing(path: str, manifest: Manifest) -> Check:
    """The files are those of the model signature; the program is OpenSSF's."""
    command = "\n".join((*download(path, manifest), root(), verify_model(path)))
    return Check(program=MODEL_SIGNING, command=command, answer="Verification succeeded")


def download(
    path: str, manifest: Manifest, signatures: Sequence[str] = (SIGNATURE_NAME,)
) -> tuple[str, ...]:
    """Every file of a checkpoint into its folder; interrupted and run again, it goes on."""
    names = [*(file.name for file in manifest.files), *signatures]
    return tuple(_download(path, name) for name in names)


def root() -> str:
    """The root certificate as openssl and model_signing read it."""
    return f"{CURL} -O {settings.PUBLIC_URL}{ROOT_PATH}"


def verify_model(path: str) -> str:
    """What OpenSSF's verifier is asked."""
    folder = folder_of(path)
    return (
        f"model_signing verify certificate {folder} "
        f"--signature {folder}/{SIGNATURE_NAME} --certificate_chain root.pem"
    )


def verify_sigstore(path: str, identity: Identity) -> str:
    """The same of it, and of any other client of Sigstore: whose signature, and who says so."""
    folder = folder_of(path)
    return (
        f"{CURL} -O {settings.PUBLIC_URL}/.well-known/assay/{CONFIG}\n"
        f"model_signing verify sigstore {folder} "
        f"--signature {folder}/{SIGSTORE_NAME} --trust_config {CONFIG} "
        f"--identity {shlex.quote(identity.name)} "
        f"--identity_provider {shlex.quote(identity.issuer)}"
    )


def with_token(command: str) -> str:
    """The same command with the caller's token, which their shell puts in."""
    return command.replace(CURL, f"{CURL} {HEADER}")


def folder_of(path: str) -> str:
    """Where the commands put a checkpoint: `PROJECT-NAME`."""
    return "-".join(path.split("/")[-2:])


def _download(path: str, name: str) -> str:
    target = shlex.quote(f"{folder_of(path)}/{name}")
    url = f"{settings.PUBLIC_URL}{path}/files/{quote(name)}"
    return f"{CURL} -C - --create-dirs -o {target} {url}"
