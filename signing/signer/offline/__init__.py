# SPDX-License-Identifier: Apache-2.0
"""The root in a folder of its own, which is carried to a machine without a network.

    registry.url   root.key.pem (or root.key.json: in a token)   root.pem   root.crl

It certifies intermediates by their requests and lists those that it revoked; TUF's root has a key
of its own beside it (distributing.py).
`python -m assay.signing.signer.offline` is the program for that machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ... import certificates, crls, intermediates
from ...certificates import Issuer
from ...crls import Period
from ...durable import create_file, write_file
from ...keys import Curve
from ...revocation import Revocation
from ..errors import SignerFilesBroken
from ..keyring import Keyring, Place
from ..opening import ROOT_CRL_FILE, ROOT_FILE, certificate

URL_FILE = "registry.url"
ROOT_KEY_FILE = "root.key.pem"
ROOT_CRL_DAYS = 92  # for so long an older list can hide that an intermediate was revoked
LABEL = "root"


def create(
    folder: Path, *, registry: str, keyring: Keyring, at: datetime, within: Place | None = None
) -> Issuer:
    """Make the root's key, certificate and first list; raises SignerFilesBroken if there is one."""
    try:
        create_file(folder / URL_FILE, f"{registry}\n".encode())
    except FileExistsError as error:
        raise SignerFilesBroken(f"{folder} holds a root already: it is made once") from error
    key = keyring.make(folder / ROOT_KEY_FILE, label=LABEL, curve=Curve.P384, within=within)
    made = certificates.root(key, name=f"Assay root for {registry}", at=at)
    root = Issuer(certificate=made, key=key, crl_url=crls.address(registry, crls.ROOT))
    write_file(folder / ROOT_FILE, made.public_bytes(Encoding.PEM))
    write_file(folder / ROOT_CRL_FILE, _listed(root, (), number=1, at=at))
    return root


def load(folder: Path, *, keyring: Keyring) -> Issuer:
    """The root of a folder; raises SignerFilesBroken, or KeyUnusable for another passphrase."""
    registry = load_url(folder)
    try:
        found = certificate(folder / ROOT_FILE)
        key = keyring.load(folder / ROOT_KEY_FILE)
    except OSError as error:
        raise _not_the_roots(error) from error
    if key.public_key != found.public_key():
        raise SignerFilesBroken(f"{ROOT_KEY_FILE} is not the key of {ROOT_FILE}")
    return Issuer(certificate=found, key=key, crl_url=crls.address(registry, crls.ROOT))


def load_url(folder: Path) -> str:
    """The registry whose root it is; raises SignerFilesBroken."""
    try:
        return (folder / URL_FILE).read_text().strip()
    except OSError as error:
        raise _not_the_roots(error) from error


def certify(root: Issuer, csr: bytes, *, at: datetime) -> x509.Certificate:
    """The intermediate that a request (DER) asks for; raises InvalidDocument."""
    return intermediates.certify(intermediates.read_request(csr), root=root, at=at)


def renew_list(
    folder: Path, root: Issuer, *, revoking: Sequence[Revocation] = (), at: datetime
) -> bytes:
    """The root's next list, for a quarter: all that was revoked before, and these.

    A revocation is for ever, and keeps its first date.
    """
    path = folder / ROOT_CRL_FILE
    before = crls.read(path.read_bytes(), issuer=root.certificate)
    listed = crls.revocations(before)
    known = {each.serial for each in listed}
    fresh = [each for each in revoking if each.serial not in known]
    der = _listed(root, [*listed, *fresh], number=crls.number_of(before) + 1, at=at)
    write_file(path, der)
    return der


def _not_the_roots(error: OSError) -> SignerFilesBroken:
    return SignerFilesBroken(
        f"expected the root's folder ({URL_FILE}, {ROOT_FILE}, its key and its list), "
        f"found {error.filename}: {error.strerror}"
    )


def _listed(root: Issuer, listed: Sequence[Revocation], *, number: int, at: datetime) -> bytes:
    period = Period(this_update=at, next_update=at + timedelta(days=ROOT_CRL_DAYS))
    return crls.create(listed, issuer=root.certificate, key=root.key, number=number, period=period)
