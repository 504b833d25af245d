# SPDX-License-Identifier: Apache-2.0
"""Chains that differ from a good one in one thing, and what a verifier says of each.

What a registry's authority itself would have to sign is among them: a verifier does not trust an
issuer to have meant what it understands. The expected codes are written here by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from assay.signing import der
from assay.signing.certificates import Purpose
from assay.signing.keys import Curve, SoftwareKey
from tests.signing.forge import Change, forge
from tests.signing.world import AT, World

SUBJECT = "http://registry.test/lab"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
UNTRUSTED, MISUSED = "untrusted-chain", "wrong-purpose"
WINDOWS = {
    "before": Change(not_before=AT + SECOND, not_after=AT + DAY),
    "inside": Change(not_before=AT, not_after=AT),
    "after": Change(not_before=AT - DAY, not_after=AT - SECOND),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A chain for outputs under a root, and the code of its failure; empty where it is good."""

    name: str
    leaf: bytes
    intermediate: bytes
    root: bytes
    error: str


def faults(world: World) -> list[Fault]:
    """All of them; each chain has one thing that is not as a registry makes it."""
    changed = [
        *(_changed(world, "leaf", each) for each in (*_limits(), *_leaves(), *_garbage("leaf"))),
        *(_changed(world, "intermediate", each) for each in (*_limits(), *_authorities())),
        *(_changed(world, "intermediate", each) for each in _garbage("intermediate")),
        *(_changed(world, "root", each) for each in _roots()),
    ]
    return [*changed, *_windows(world), *_signatures(world)]


Row = tuple[str, Change, str]


def _extension(value: x509.ExtensionType, *, is_critical: bool = False) -> Change:
    return Change(add=[(value, is_critical)])


def _raw(kind: type[x509.ExtensionType], value: bytes, *, is_critical: bool = False) -> Change:
    """An extension of this kind whose value only a lax reader understands, or none."""
    return Change(drop=kind, add=[(x509.UnrecognizedExtension(kind.oid, value), is_critical)])


def _uri(host: str) -> x509.NameConstraints:
    return x509.NameConstraints([x509.UniformResourceIdentifier(host)], None)


def _policies(*qualifiers: str | x509.UserNotice) -> x509.CertificatePolicies:
    policy = x509.PolicyInformation(Purpose.OUTPUT.oid, list(qualifiers) or None)
    return x509.CertificatePolicies([policy])


def _access() -> x509.AuthorityInformationAccess:
    place = x509.UniformResourceIdentifier("http://a.test")
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)]
    )


def _usages(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment "
        "key_agreement key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: name in names for name in every.split()})


def _limits() -> Iterator[Row]:
    """What limits a leaf or an intermediate in a way that no verifier of ours follows."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), der.NULL)
    points = x509.CRLDistributionPoints(
        [
            x509.DistributionPoint(
                [x509.UniformResourceIdentifier("http://a.test")], None, None, None
            )
        ]
    )
    identifier = x509.AuthorityKeyIdentifier(bytes(20), None, None)
    for host, is_critical in product(("registry.test", "other.test"), (False, True)):
        how = "critical " if is_critical else ""
        yield (
            f"{how}name constraints of {host}",
            _extension(_uri(host), is_critical=is_critical),
            UNTRUSTED,
        )
    yield "critical policies", _extension(_policies(), is_critical=True), UNTRUSTED
    yield "a policy qualifier", _extension(_policies("http://a.test")), MISUSED
    notice = x509.UserNotice(None, "any")
    yield "a policy with a notice", _extension(_policies(notice)), MISUSED
    yield "policy constraints", _extension(x509.PolicyConstraints(0, None)), UNTRUSTED
    yield "any policy inhibited", _extension(x509.InhibitAnyPolicy(0)), UNTRUSTED
    yield "a critical access method", _extension(_access(), is_critical=True), UNTRUSTED
    yield "an access method", _extension(_access()), ""
    yield "critical list addresses", _extension(points, is_critical=True), UNTRUSTED
    yield "list addresses", _extension(points), ""
    yield "a critical issuer's key", _extension(identifier, is_critical=True), UNTRUSTED
    named = x509.AuthorityKeyIdentifier(bytes(20), [x509.DNSName("a.test")], 5)
    yield "an issuer's key with its name", _extension(named), UNTRUSTED
    own = x509.SubjectKeyIdentifier(bytes(20))
    yield "a critical key identifier", _extension(own, is_critical=True), UNTRUSTED
    yield "an unknown extension", _extension(unknown), ""
    yield "an unknown critical extension", _extension(unknown, is_critical=True), UNTRUSTED
    yield "no check by OCSP", _extension(x509.OCSPNoCheck()), ""
    other = x509.IssuerAlternativeName([x509.DNSName("a.test")])
    yield "another name of its issuer", _extension(other), UNTRUSTED


def _leaves() -> Iterator[Row]:
    signing = ExtendedKeyUsageOID.CODE_SIGNING
    uri = x509.UniformResourceIdentifier(SUBJECT)

    def named(*names: x509.GeneralName) -> Change:
        return _extension(x509.SubjectAlternativeName(names))

    yield "key usage not critical", _extension(_usages("digital_signature")), MISUSED
    both = _usages("digital_signature", "key_cert_sign")
    yield "key usage for certificates too", _extension(both, is_critical=True), MISUSED
    agreed = _usages("digital_signature", "key_agreement", "decipher_only")
    yield "key usage for more", _extension(agreed, is_critical=True), MISUSED
    yield "no key usage", Change(drop=x509.KeyUsage), UNTRUSTED
    twice = x509.ExtendedKeyUsage([signing, signing])
    yield "extended key usage twice", _extension(twice), MISUSED
    only = x509.ExtendedKeyUsage([signing])
    yield "extended key usage critical", _extension(only, is_critical=True), ""
    stamping = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    yield "extended key usage for timestamps", _extension(stamping), MISUSED
    yield "no extended key usage", Change(drop=x509.ExtendedKeyUsage), UNTRUSTED
    yield "basic constraints", _extension(x509.BasicConstraints(False, None)), MISUSED
    yield "CA:TRUE", _extension(x509.BasicConstraints(True, 0), is_critical=True), MISUSED
    yield "no policies", Change(drop=x509.CertificatePolicies), UNTRUSTED
    yield "no name", Change(drop=x509.SubjectAlternativeName), UNTRUSTED
    yield "a host for a name", named(x509.DNSName("a.test")), UNTRUSTED
    yield "a host besides its name", named(uri, x509.DNSName("a.test")), UNTRUSTED
    yield "its name twice", named(uri, uri), UNTRUSTED
    critical = x509.SubjectAlternativeName([uri])
    yield "a critical name", _extension(critical, is_critical=True), ""
    yield "a key on P-384", _keyed(Curve.P384), UNTRUSTED
    yield "no identifiers of keys", Change(drop=x509.AuthorityKeyIdentifier), ""


def _keyed(curve: Curve) -> Change:
    return Change(public_key=SoftwareKey.generate(curve).public_key)


def _authorities() -> Iterator[Row]:
    for name, usage in {
        "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
        "web servers": ExtendedKeyUsageOID.SERVER_AUTH,
        "web clients": ExtendedKeyUsageOID.CLIENT_AUTH,
        "anything": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }.items():
        value = x509.ExtendedKeyUsage([usage])
        yield f"extended key usage for {name}", _extension(value), UNTRUSTED
        critical = _extension(value, is_critical=True)
        yield f"critical extended key usage for {name}", critical, UNTRUSTED
    yield "no CA:TRUE", Change(drop=x509.BasicConstraints), UNTRUSTED
    no = x509.BasicConstraints(False, None)
    yield "CA:FALSE", _extension(no, is_critical=True), UNTRUSTED
    yield "CA:TRUE not critical", _extension(x509.BasicConstraints(True, 0)), UNTRUSTED
    for length in (None, 5):
        limits = x509.BasicConstraints(True, length)
        yield f"a path length of {length}", _extension(limits, is_critical=True), ""
    both = _usages("key_cert_sign", "crl_sign")
    yield "key usage not critical", _extension(both), ""
    lists = _usages("crl_sign")
    yield "key usage for lists alone", _extension(lists, is_critical=True), UNTRUSTED
    yield "no key usage", Change(drop=x509.KeyUsage), UNTRUSTED
    node = x509.CertificatePolicies([x509.PolicyInformation(Purpose.NODE.oid, None)])
    yield "policies of a node", _extension(node), MISUSED
    yield "no policies", Change(drop=x509.CertificatePolicies), UNTRUSTED
    names = x509.SubjectAlternativeName([x509.DNSName("a.test")])
    yield "a name as leaves have", _extension(names), UNTRUSTED
    yield "another key", _keyed(Curve.P256), UNTRUSTED


def _roots() -> Iterator[Row]:
    yield "no CA:TRUE", Change(drop=x509.BasicConstraints), UNTRUSTED
    short = x509.BasicConstraints(True, 0)
    yield "a path too short", _extension(short, is_critical=True), UNTRUSTED
    yield "name constraints", _extension(_uri("registry.test")), UNTRUSTED
    yield "another key", _keyed(Curve.P384), UNTRUSTED


def _garbage(role: str) -> Iterator[Row]:
    """Known extensions with values that are none, or that only BER has."""
    kinds: list[type[x509.ExtensionType]] = [
        x509.SubjectKeyIdentifier,
        x509.AuthorityKeyIdentifier,
        x509.KeyUsage,
        x509.CertificatePolicies,
        x509.CRLDistributionPoints,
        x509.AuthorityInformationAccess,
        x509.BasicConstraints,
    ]
    if role == "leaf":
        kinds += [x509.SubjectAlternativeName, x509.ExtendedKeyUsage]
    for kind, (how, value) in product(
        kinds, {"garbage": b"\xff\xff", "an empty value": b"", "an empty sequence": b"0\0"}.items()
    ):
        if (kind, value) != (x509.BasicConstraints, b"0\0"):  # which is one: CA:FALSE
            yield f"{how} for {kind.__name__}", _raw(kind, value), UNTRUSTED
    loose = bytes.fromhex("03020680")
    yield "loose bits in its key usage", _raw(x509.KeyUsage, loose, is_critical=True), UNTRUSTED


def _changed(world: World, role: str, row: Row) -> Fault:
    name, change, error = row
    chain = world.leaf(Purpose.OUTPUT, SUBJECT)[1]
    leaf, middle, root = chain.leaf, chain.intermediate, world.root.certificate
    match role:
        case "leaf":
            leaf = forge(leaf, world.issuers[Purpose.OUTPUT], change)
        case "intermediate":
            middle = forge(middle, world.root, change)
        case _:
            root = forge(root, world.root, change)
    return _fault(f"{role} with {name}", (leaf, middle, root), error)


def _fault(name: str, chain: tuple[x509.Certificate, ...], error: str) -> Fault:
    leaf, middle, root = (each.public_bytes(Encoding.DER) for each in chain)
    return Fault(name=name, leaf=leaf, intermediate=middle, root=root, error=error)


def _windows(world: World) -> Iterator[Fault]:
    """Leaf, intermediate and root, each used before, inside and after its validity: 27 cases."""
    chain = world.leaf(Purpose.OUTPUT, SUBJECT)[1]
    good = (chain.leaf, chain.intermediate, world.root.certificate)
    issuers = (world.issuers[Purpose.OUTPUT], world.root, world.root)
    for when in product(WINDOWS, repeat=3):
        changed = tuple(
            forge(certificate, issuer, WINDOWS[window])
            for certificate, issuer, window in zip(good, issuers, when, strict=True)
        )
        error = "" if set(when) == {"inside"} else UNTRUSTED
        yield _fault(
            "used {} its leaf, {} its intermediate, {} its root".format(*when), changed, error
        )


def _signatures(world: World) -> Iterator[Fault]:
    """The same two numbers in a signature, written as only BER has them; and another hash."""
    chain = world.leaf(Purpose.OUTPUT, SUBJECT)[1]
    good = _fault("", (chain.leaf, chain.intermediate, world.root.certificate), "")
    for role, certificate in (("leaf", chain.leaf), ("intermediate", chain.intermediate)):
        r, s = (der.integer(number) for number in decode_dss_signature(certificate.signature))
        padded = der.element(der.INTEGER, b"\0" + s[2:])
        long = b"\x02\x81" + s[1:]
        for how, signature in {
            "a padded number": der.sequence(r, padded),
            "a long length": der.sequence(r, long),
            "a third number": der.sequence(r, s, s),
            "bytes behind it": der.sequence(r, s) + b"\0",
        }.items():
            body = certificate.tbs_certificate_bytes
            algorithm = der.elements(der.whole(_der(certificate), der.SEQUENCE).content)[1].encoded
            made = der.sequence(body, algorithm, der.bits(signature))
            yield replace(
                good, name=f"{role} with {how} in its signature", error=UNTRUSTED, **{role: made}
            )
    yield _other_hash(world, good)


def _other_hash(world: World, good: Fault) -> Fault:
    """An intermediate that the root signed with the hash of another curve."""
    middle = x509.load_der_x509_certificate(good.intermediate)
    made = forge(middle, world.root, Change(), is_short=True)
    return replace(
        good, name="intermediate with another hash", intermediate=_der(made), error=UNTRUSTED
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
