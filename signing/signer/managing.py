# SPDX-License-Identifier: Apache-2.0
"""The signer's answers to its operator (administration): what is done, and its audit line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from .. import certificates
from ..digests import sha256
from ..errors import InvalidDocument
from ..intermediates import Name
from . import administration, rotation
from .administration import (
    AdministrationOp,
    AdministrationRequest,
    InstallRequest,
    InstallRootCrlRequest,
    IssuersRequest,
    IssuerState,
    PrepareRequest,
    StopRequest,
)
from .errors import BadRequest
from .keystore import Keystore


class Record(Protocol):
    """Makes an audit line durable, or raises."""

    def __call__(self, op: AdministrationOp, details: Mapping[str, str | int]) -> object:
        """`details` are the line's own fields."""
        ...


def answer(
    request: AdministrationRequest, keystore: Keystore, *, record: Record, at: datetime
) -> bytes:
    """The answer to one request; raises SignerRefusal, and then nothing was changed."""
    match request:
        case IssuersRequest():
            return administration.write_issuers(_states(keystore))
        case StopRequest():
            _stop(request.issuer, keystore, record)
        case PrepareRequest():
            return _prepare(request, keystore, record)
        case InstallRequest():
            _install(request, keystore, record=record)
        case InstallRootCrlRequest():
            details = {"crl_sha256": sha256(request.crl)}
            record(AdministrationOp.INSTALL_ROOT_CRL, details)
            root = keystore.trust_root.root
            rotation.install_root_crl(keystore.folder, root, request.crl, at=at)
            keystore.look_again()
    return administration.write_done()


def _states(keystore: Keystore) -> tuple[IssuerState, ...]:
    opened = keystore.opened
    return tuple(
        IssuerState(
            name=name,
            certificate=issuer.certificate,
            is_current=opened.current(name.purpose) == name,
            is_stopped=name in opened.stopped,
        )
        for name, issuer in opened.issuers.items()
    )


def _stop(name: Name, keystore: Keystore, record: Record) -> None:
    """The mark comes before its line: a full disk of audits must not keep a stolen key signing."""
    keystore.intermediate(name)
    rotation.stop(keystore.folder, name)
    keystore.look_again()
    record(AdministrationOp.STOP, {"issuer": str(name)})


def _prepare(request: PrepareRequest, keystore: Keystore, record: Record) -> bytes:
    name = keystore.opened.next(request.purpose)
    record(AdministrationOp.PREPARE, {"issuer": str(name)})
    csr = rotation.prepare(
        keystore.folder, keystore.opened, request.purpose, keyring=keystore.keyring
    )
    return administration.write_request(csr)


def _install(request: InstallRequest, keystore: Keystore, *, record: Record) -> None:
    try:
        found = certificates.load("certificate", request.certificate)
    except InvalidDocument as error:
        raise BadRequest(str(error)) from error
    record(AdministrationOp.INSTALL, {"certificate_sha256": sha256(request.certificate)})
    rotation.install(keystore.folder, keystore.opened, found, keyring=keystore.keyring)
    keystore.open_again()
