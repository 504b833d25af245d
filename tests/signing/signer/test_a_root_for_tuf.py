# SPDX-License-Identifier: Apache-2.0
"""The root's machine signs TUF's root: python-tuf believes it, and nothing else is signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Metadata, Root

from assay.signing.errors import InvalidDocument
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.signer.offline.distributing import KEY_FILE, REQUEST_FILE, Request, id_of
from tests.signing.signer.two_machines import Machines
from tests.signing.signer.worlds import REGISTRY
from tests.signing.softhsm import SoftHsm, needs_softhsm


def online() -> ec.EllipticCurvePublicKey:
    key = SoftwareKey.generate().public_key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def asked(machines: Machines, *, version: int = 1, registry: str = REGISTRY) -> Request:
    request = Request(registry=registry, version=version, online_key=online())
    (machines.place / "requests" / REQUEST_FILE).write_bytes(request.dumps())
    return request


def sign(machines: Machines) -> int:
    return machines.do("tuf", "--requests", machines.place / "requests", "--out", machines.answers)


def answer(machines: Machines, version: int) -> Metadata[Root]:
    return Metadata[Root].from_file(str(machines.answers / f"{version}.root.json"))


@pytest.fixture
def rooted(machines: Machines) -> Machines:
    assert machines.new() == 0
    return machines


def test_their_library_believes_it_and_the_next_one(
    rooted: Machines, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = asked(rooted), None
    assert sign(rooted) == 0
    assert id_of(first.online_key)[:16] in capsys.readouterr().out
    second = asked(rooted, version=2)
    assert sign(rooted) == 0
    old, new = answer(rooted, 1), answer(rooted, 2)
    for by in (old.signed, new.signed):
        by.verify_delegate("root", new.signed_bytes, new.signatures)
    assert new.signed.roles["timestamp"].keyids == [id_of(second.online_key)]
    assert new.signed.expires - datetime.now(UTC) > timedelta(days=3 * 365 - 1)


def test_keys_are_named_as_their_library_names_them() -> None:
    key = online()
    assert id_of(key) == SSlibKey.from_crypto(key).keyid


def test_its_key_is_beside_the_roots_encrypted(rooted: Machines) -> None:
    asked(rooted)
    assert sign(rooted) == 0
    path = rooted.root / KEY_FILE
    assert b"ENCRYPTED" in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


@needs_softhsm
def test_where_the_root_is_in_a_token_this_key_is_too(hsm: SoftHsm, machines: Machines) -> None:
    place = hsm.place
    words = ("--module", place.module, "--token", place.token, "--pin-file", place.pin_file)
    assert machines.do("new", "--registry", REGISTRY, *words) == 0
    asked(machines)
    assert sign(machines) == 0
    asked(machines, version=2)
    assert sign(machines) == 0
    assert not list(machines.root.glob("*.key.pem"))


def _of_another_registry(machines: Machines) -> None:
    asked(machines, registry="http://other")


def _without_the_key_before(machines: Machines) -> None:
    asked(machines, version=2)


def _no_request(machines: Machines) -> None:
    del machines


def _no_root(machines: Machines) -> None:
    asked(machines)
    (machines.root / "registry.url").unlink()


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_of_another_registry, "found one of http://other: nothing was signed"),
        (_without_the_key_before, "expected the key of the root before"),
        (_no_request, f"{REQUEST_FILE}: No such file"),
        (_no_root, "registry.url: No such file"),
    ],
)
def test_nothing_else_is_signed(
    rooted: Machines,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[Machines], None],
    says: str,
) -> None:
    edit(rooted)
    assert sign(rooted) == 4
    assert says in capsys.readouterr().err
    assert not rooted.answers.exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"version": 0}, "version: expected an integer from 1"),
        ({"registry": "nonsense"}, "registry: expected an http or https URL"),
        ({"online_key": "x"}, "online_key: expected a public key in PEM"),
        ({"type": "x"}, "type: expected"),
        ({"more": 1}, "more"),
    ],
)
def test_a_request_is_read_strictly(changed: dict[str, object], says: str) -> None:
    request = Request(registry=REGISTRY, version=1, online_key=online())
    obj = json.loads(request.dumps()) | changed
    data = json.dumps(obj, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(InvalidDocument, match=says):
        Request.parse(data)


def test_another_kind_of_key_distributes_nothing() -> None:
    other = SoftwareKey.generate(Curve.P384).public_key
    assert isinstance(other, ec.EllipticCurvePublicKey)
    with pytest.raises(InvalidDocument, match="a key on P-256"):
        Request.parse(Request(registry=REGISTRY, version=1, online_key=other).dumps())
