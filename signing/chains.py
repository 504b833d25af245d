# SPDX-License-Identifier: Apache-2.0
"""Whether a leaf and its intermediate lead to a pinned root, for one purpose, at one time.

All is read from the certificates' one form (forms), so that every verifier comes to the same end;
the library's path validation stands beside it. Whether a certificate was revoked is left to others.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from cryptography import x509
from cryptography.x509 import verification

from . import der, forms
from .certificates import Chain, Purpose, p256_key, usages_of
from .der import NotDer
from .errors import UntrustedChain, WrongPurpose
from .forms import Extension, Form
from .once import Same

KEPT = 64  # as judged: few sign nearly all that one process verifies
# By themselves: to hash the bytes of a certificate takes longer than all else that is asked here.
_Path: TypeAlias = tuple[Same[x509.Certificate], Same[x509.Certificate], Same[x509.Certificate]]
_DIGITAL_SIGNATURE = der.named_bit(0)
_CERTIFICATES_AND_LISTS = bytes.fromhex("03020106")  # keyCertSign and cRLSign
_OVER_LEAVES = der.sequence(der.true(), der.integer(0))


def verify_chain(chain: Chain, *, root: x509.Certificate, purpose: Purpose, at: datetime) -> str:
    """Check a chain and return the URI that its leaf is about.

    1. All three are in a registry's form, each with no extensions but those that it may have.
    2. Every certificate, the root too, is valid at `at`.
    3. The path leaf → intermediate → root holds (RFC 5280), with no other anchor in sight.
    4. Leaf and intermediate carry the purpose, and no other.
    5. The leaf's key is for signing, on P-256, used as the purpose demands, and issues nothing.
    6. The leaf names exactly one subject, a URI.
    """
    path = Same(chain.leaf), Same(chain.intermediate), Same(root)
    for role, form in _forms(path):  # 1
        _check_validity(role, form, at)  # 2
    return _led(path, purpose)


@lru_cache(KEPT)
def _led(path: _Path, purpose: Purpose) -> str:
    """The steps that ask for no moment: what holds for these three holds as long as they do."""
    leaf, intermediate, root = (each.value for each in path)
    form, issuer, anchor = forms.of(leaf), forms.of(intermediate), forms.of(root)
    _check_path(leaf, intermediate, root)  # 3
    if not form.is_signed_for(issuer) or not issuer.is_signed_for(anchor):
        raise UntrustedChain("expected signatures with the hash of their key's curve, found others")
    _check_purpose("leaf", form, purpose)  # 4
    _check_purpose("intermediate", issuer, purpose)
    p256_key(leaf)  # 5
    _check_leaf(form, purpose)
    return subject_uri(leaf)  # 6


def check_intermediate(certificate: x509.Certificate, purpose: Purpose) -> None:
    """Raise unless it may issue leaves of this purpose, sign lists, and nothing else."""
    form = _form("intermediate", certificate)
    _check_purpose("intermediate", form, purpose)
    limits, usage = (_present(form, each).value for each in (forms.CONSTRAINTS, forms.KEY_USAGE))
    if limits != _OVER_LEAVES or usage != _CERTIFICATES_AND_LISTS:
        raise WrongPurpose("expected an authority over leaves alone, found another certificate")


def subject_uri(leaf: x509.Certificate) -> str:
    """The one URI that a certificate is about, whoever issued it; raises UntrustedChain."""
    match forms.uris(_read("leaf", leaf)):
        case (uri,):
            return uri
        case _:
            raise UntrustedChain("expected a leaf that names one URI, found other names")


def _read(role: str, certificate: x509.Certificate) -> Form:
    try:
        return forms.of(certificate)
    except NotDer as error:
        raise UntrustedChain(f"expected a {role} certificate of a registry: {error}") from error


@lru_cache(KEPT)
def _forms(path: _Path) -> tuple[tuple[str, Form], ...]:
    roles = ("leaf", "intermediate", "root")
    return tuple((role, _form(role, each.value)) for role, each in zip(roles, path, strict=True))


def _form(role: str, certificate: x509.Certificate) -> Form:
    form = _read(role, certificate)
    try:
        forms.check_extensions(form, is_authority=role != "leaf")
    except NotDer as error:
        raise UntrustedChain(f"expected a {role} certificate of a registry: {error}") from error
    return form


def _check_validity(role: str, form: Form, at: datetime) -> None:
    start, end = form.starts_at, form.ends_at
    if not start <= at <= end:
        raise UntrustedChain(
            f"expected the {role} certificate to be valid at {at:%Y-%m-%dT%H:%M:%SZ}, "
            f"found it valid from {start:%Y-%m-%dT%H:%M:%SZ} to {end:%Y-%m-%dT%H:%M:%SZ}"
        )


def _check_path(
    leaf: x509.Certificate, intermediate: x509.Certificate, root: x509.Certificate
) -> None:
    """Whether one leads to the next, at the first moment at which all three are valid.

    A path is asked of its time for nothing but that (RFC 5280, 6.1.3 (a) (2)), and it was judged
    of the moment in question before; so what holds for these three holds at every such moment.
    """
    first = max(each.not_valid_before_utc for each in (leaf, intermediate, root))
    # The web's rules for leaves (DNS names, serverAuth) do not fit ours: _check_leaf has our own.
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([root]))
        .time(first)
        .max_chain_depth(1)
        .extension_policies(
            ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
            ee_policy=verification.ExtensionPolicy.permit_all(),
        )
        .build_client_verifier()
    )
    try:
        path = verifier.verify(leaf, [intermediate]).chain
    except verification.VerificationError as error:
        raise UntrustedChain("expected a chain to the pinned root, found another") from error
    if path != [leaf, intermediate, root]:
        raise UntrustedChain("expected leaf, intermediate and root, found another path")


def _check_purpose(role: str, form: Form, purpose: Purpose) -> None:
    found = _present(form, forms.POLICIES).value
    if found != _policy_value(purpose):
        named = next((each for each in Purpose if found == _policy_value(each)), "something else")
        raise WrongPurpose(
            f"expected the {role} certificate to be for {purpose}, found it for {named}"
        )


def _policy_value(purpose: Purpose) -> bytes:
    """The purpose alone, without qualifiers: what they say would have to be shown to people."""
    return der.sequence(der.sequence(der.oid(purpose.oid.dotted_string)))


def _present(form: Form, oid: bytes) -> Extension:
    found = form.get(oid)
    if found is None:
        raise UntrustedChain("expected an extension that such certificates have, found none")
    return found


def _check_leaf(form: Form, purpose: Purpose) -> None:
    key_usage = _present(form, forms.KEY_USAGE)
    if not key_usage.is_critical or key_usage.value != _DIGITAL_SIGNATURE:
        raise WrongPurpose("expected the key usage digitalSignature, critical and alone")
    usage = _present(form, forms.EXTENDED_USAGE)
    if usage.value != der.sequence(*(der.oid(each.dotted_string) for each in usages_of(purpose))):
        raise WrongPurpose(f"expected the extended key usage that {purpose} demands, alone")
    if purpose is Purpose.TIMESTAMP and not usage.is_critical:  # RFC 3161, 2.3
        raise WrongPurpose("expected the extended key usage timeStamping to be critical")
    if form.get(forms.CONSTRAINTS) is not None:
        raise WrongPurpose("expected a leaf without basic constraints, found one that has them")
