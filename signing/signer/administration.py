# SPDX-License-Identifier: Apache-2.0
"""What an operator asks of the signer: its intermediates listed, stopped, and replaced.

As in protocol, both sides import this and only shapes are checked. Nothing here needs a secret: a
new intermediate is one because the root's signature says so, and stopping is always allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, certificates
from ..certificates import Purpose
from ..errors import InvalidDocument
from ..intermediates import Name


class AdministrationOp(StrEnum):
    """What can be asked."""

    ISSUERS = "issuers"
    STOP = "stop"
    PREPARE = "prepare_intermediate"
    INSTALL = "install_intermediate"
    INSTALL_ROOT_CRL = "install_root_crl"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuersRequest:
    """List the intermediates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """Let this intermediate sign no more, whatever is asked, until another takes its place."""

    issuer: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareRequest:
    """Make the key of a purpose's next intermediate, and a request for its certificate."""

    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """Put the intermediate to use that was asked for: this is its certificate (DER)."""

    certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRootCrlRequest:
    """Show this list (DER) from now on as the root's."""

    crl: bytes


AdministrationRequest: TypeAlias = (
    IssuersRequest | StopRequest | PrepareRequest | InstallRequest | InstallRootCrlRequest
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerState:
    """An intermediate as the signer has it."""

    name: Name
    certificate: x509.Certificate
    is_current: bool
    """Whether it is the one that issues for its purpose."""
    is_stopped: bool


def to_json(request: AdministrationRequest) -> dict[str, object]:
    """What the client sends."""
    match request:
        case IssuersRequest():
            return {"op": AdministrationOp.ISSUERS.value}
        case StopRequest():
            return {"op": AdministrationOp.STOP.value, "issuer": str(request.issuer)}
        case PrepareRequest():
            return {"op": AdministrationOp.PREPARE.value, "purpose": request.purpose.value}
        case InstallRequest():
            encoded = canonical.base64_text(request.certificate)
            return {"op": AdministrationOp.INSTALL.value, "certificate": encoded}
        case InstallRootCrlRequest():
            encoded = canonical.base64_text(request.crl)
            return {"op": AdministrationOp.INSTALL_ROOT_CRL.value, "crl": encoded}


def write_issuers(states: tuple[IssuerState, ...]) -> bytes:
    """The answer to `issuers`."""
    return canonical.dumps(
        {
            "issuers": [
                {
                    "name": str(each.name),
                    "certificate": canonical.base64_text(
                        each.certificate.public_bytes(Encoding.DER)
                    ),
                    "current": int(each.is_current),
                    "stopped": int(each.is_stopped),
                }
                for each in states
            ]
        }
    )


def read_issuers(answer: Mapping[str, object]) -> tuple[IssuerState, ...]:
    """What `issuers` told."""
    canonical.only(answer, "issuers")
    return tuple(_state(each) for each in canonical.items(answer, "issuers"))


def write_done() -> bytes:
    """The answer to what changes something and has nothing to show."""
    return canonical.dumps({})


def read_done(answer: Mapping[str, object]) -> None:
    """Nothing was told."""
    canonical.only(answer)


def write_request(csr: bytes) -> bytes:
    """The answer to `prepare_intermediate`."""
    return canonical.dumps({"csr": canonical.base64_text(csr)})


def read_request(answer: Mapping[str, object]) -> bytes:
    """The PKCS#10 request (DER) that `prepare_intermediate` made."""
    canonical.only(answer, "csr")
    return canonical.base64_bytes(answer, "csr")


def _state(item: object) -> IssuerState:
    document = canonical.as_mapping(item, "issuers")
    canonical.only(document, "name", "certificate", "current", "stopped")
    return IssuerState(
        name=Name.parse(canonical.text(document, "name")),
        certificate=certificates.load(
            "certificate", canonical.base64_bytes(document, "certificate")
        ),
        is_current=canonical.integer(document, "current", maximum=1) == 1,
        is_stopped=canonical.integer(document, "stopped", maximum=1) == 1,
    )


def _read_issuers(document: Mapping[str, object]) -> AdministrationRequest:
    canonical.only(document, "op")
    return IssuersRequest()


def _read_stop(document: Mapping[str, object]) -> AdministrationRequest:
    canonical.only(document, "op", "issuer")
    return StopRequest(issuer=Name.parse(canonical.text(document, "issuer")))


def _read_prepare(document: Mapping[str, object]) -> AdministrationRequest:
    canonical.only(document, "op", "purpose")
    name = Name.parse(canonical.text(document, "purpose"))
    if name.number != 1:
        raise InvalidDocument("purpose", f"one of {', '.join(Purpose)}", f"{name}")
    return PrepareRequest(purpose=name.purpose)


def _read_install(document: Mapping[str, object]) -> AdministrationRequest:
    canonical.only(document, "op", "certificate")
    return InstallRequest(certificate=canonical.base64_bytes(document, "certificate"))


def _read_install_root_crl(document: Mapping[str, object]) -> AdministrationRequest:
    canonical.only(document, "op", "crl")
    return InstallRootCrlRequest(crl=canonical.base64_bytes(document, "crl"))


READERS: Mapping[str, Callable[[Mapping[str, object]], AdministrationRequest]] = {
    AdministrationOp.ISSUERS: _read_issuers,
    AdministrationOp.STOP: _read_stop,
    AdministrationOp.PREPARE: _read_prepare,
    AdministrationOp.INSTALL: _read_install,
    AdministrationOp.INSTALL_ROOT_CRL: _read_install_root_crl,
}
