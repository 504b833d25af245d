# SPDX-License-Identifier: Apache-2.0
"""`assay sign FILE --c2pa-chain …`: a manifest by one's own certificate, and how it is judged."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from assay.signing import media as carriers
from assay.signing.digests import sha256
from assay.signing.keys import SoftwareKey, spki
from assay.signing.statements import Origin
from tests import media
from tests.signing.client.registry import Answer, loopback
from tests.signing.commands.desk import TOKEN, Desk, words_of
from tests.signing.owning import CHECKPOINT, MANIFESTS, OWN, STAMPS, Keeper, keeping
from tests.signing.pki import Holder, authority, ec_key, private_pem, signer

PNG, KIND = media.picture("PNG"), "image/png"
UNKNOWN = "signed by a certificate that nothing here was told about"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A desk with a picture, a key for outputs, and a certificate that a C2PA authority sold."""

    desk: Desk
    keeper: Keeper
    root: Holder
    leaf: Holder

    @property
    def picture(self) -> Path:
        return self.desk.folder / "picture.png"

    @property
    def key(self) -> Path:
        return self.desk.folder / "own.pem"

    @property
    def anchors(self) -> Path:
        return self.desk.folder / "anchors.pem"

    def sign(self, *more: object) -> tuple[int, str, str]:
        folder = self.desk.folder
        where = ("--checkpoint", CHECKPOINT, "--registry", self.keeper.loopback.url)
        own = ("--key", self.key, "--c2pa-chain", folder / "chain.pem")
        code, out, err = self.desk.assay("sign", self.picture, *where, *own, *more)
        return code, words_of(out), err

    def read(self, *roots: bytes) -> dict[str, Any]:
        """What the library says to somebody who believes these."""
        settings = {
            "trust": {"trust_anchors": b"".join(roots).decode()},
            "verify": {"verify_trust": True, "verify_timestamp_trust": True},
        }
        with (
            c2pa.Context.from_dict(settings) as context,
            self.picture.open("rb") as stream,
            c2pa.Reader(KIND, stream, context=context) as reader,
        ):
            return cast("dict[str, Any]", json.loads(reader.json()))


@pytest.fixture(params=[ec.SECP256R1(), ec.SECP384R1()], ids=lambda curve: curve.name)
def curve(request: pytest.FixtureRequest) -> ec.EllipticCurve:
    return cast("ec.EllipticCurve", request.param)


@pytest.fixture
def company(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    yield from opened(desk, monkeypatch, ec.SECP256R1())


def opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, curve: ec.EllipticCurve
) -> Iterator[Company]:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    desk.pin()
    root = authority("A C2PA authority")
    below = authority("Its intermediate", root)
    leaf = signer(below, key=ec_key(curve), purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    folder = desk.folder
    (folder / "picture.png").write_bytes(PNG)
    (folder / "picture.png").chmod(0o640)
    (folder / "chain.pem").write_bytes(leaf.pem + below.pem)
    (folder / "anchors.pem").write_bytes(root.pem)
    (folder / "c2pa.pem").write_bytes(private_pem(leaf.key))
    (folder / "c2pa.pem").chmod(0o600)
    SoftwareKey.generate().store(folder / "own.pem", None)
    with loopback() as running, keeping(desk.world, running) as keeper:
        yield Company(desk=desk, keeper=keeper, root=root, leaf=leaf)


def refused(company: Company, *more: object, code: int, says: str) -> None:
    """What is said, and that the file is as it was and nobody was sent a signature."""
    found, _, err = company.sign("--c2pa-key", company.desk.folder / "c2pa.pem", *more)
    assert (found, says in err) == (code, True), err
    assert company.picture.read_bytes() == PNG
    assert OWN not in {(each.method, each.path) for each in company.keeper.loopback.seen}
    assert {each.suffix for each in company.desk.folder.iterdir()} <= {".png", ".pem"}


def test_the_manifest_is_trusted_by_whoever_knows_the_authority(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, curve: ec.EllipticCurve
) -> None:
    for company in opened(desk, monkeypatch, curve):
        code, out, err = company.sign("--c2pa-key", desk.folder / "c2pa.pem")
        assert code == 0, err
        assert "The file has a C2PA manifest now, by your own certificate." in out
        assert company.picture.stat().st_mode & 0o777 == 0o640
        ours = desk.world.root.certificate.public_bytes(Encoding.PEM)
        report = company.read(company.root.pem, ours)
        assert report["validation_state"] == "Trusted"
        assert company.read(ours)["validation_state"] == "Valid"
        codes = {each["code"] for each in company.read(ours)["validation_status"]}
        assert codes == {"signingCredential.untrusted"}

        manifest = report["manifests"][report["active_manifest"]]
        (said,) = [
            each["data"] for each in manifest["assertions"] if "assay.output" in each["label"]
        ]
        assert said["checkpoint"]["sha256"] == CHECKPOINT.removeprefix("sha256:")
        evidence = json.loads((desk.folder / "picture.png.assay.json").read_bytes())
        (output,) = company.keeper.taken
        assert said["output"] == output
        assert evidence["bundles"]["output"] is not None


@pytest.mark.parametrize(
    ("kind", "content", "lost"),
    [
        ("image/png", PNG + b"more", None),
        ("audio/wav", media.wav(), None),
        ("audio/wav", media.wav() + b"more", "4 bytes behind its end"),
        ("image/webp", media.picture("WEBP") * 2, "76 bytes behind its end"),
        ("image/webp", b"RIFF\x01\0\0\0a\0", None),
        ("application/pdf", media.picture("PDF"), None),
        ("application/pdf", media.signed_pdf(), "a signature of its own, over all of its bytes"),
    ],
)
def test_what_a_manifest_would_take_from_a_file_is_known(
    kind: str, content: bytes, lost: str | None
) -> None:
    assert carriers.lost(kind, io.BytesIO(content)) == lost


def test_a_file_that_would_lose_by_it_stays_as_it_is(company: Company) -> None:
    content = media.wav() + b"more"
    company.picture.write_bytes(content)
    own = ("--c2pa-key", company.desk.folder / "c2pa.pem")
    code, _, err = company.sign(*own, "--media-type", "audio/wav")
    assert code == 50
    assert "found 4 bytes behind its end, which would be lost: sign it without" in err
    assert company.picture.read_bytes() == content


def test_it_is_neither_green_nor_broken_to_whom_nobody_told(company: Company) -> None:
    assert company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")[0] == 0
    code, out, err = company.desk.assay("verify", company.picture)
    words = words_of(out)
    assert code == 0
    assert UNKNOWN in words
    assert "Verified, but NOT who signed its C2PA manifest." in words
    assert "neither believed nor held against the file" in " ".join(err.split())
    code, out, _ = company.desk.assay("verify", company.picture, "--json")
    said = json.loads(out)
    (step,) = [each for each in said["steps"] if each["code"] == "output.credentials"]
    assert (said["verified"], step["outcome"]) == (True, "not-reached")
    assert any(UNKNOWN in each for each in said["cautions"])


def test_with_anchors_it_must_lead_to_one(company: Company) -> None:
    assert company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")[0] == 0
    verify = ("verify", company.picture, "--c2pa-anchors")
    code, out, err = company.desk.assay(*verify, company.anchors)
    assert (code, err) == (0, "")
    assert "Verified." in words_of(out)
    assert UNKNOWN not in words_of(out)
    _, out, _ = company.desk.assay(*verify, company.anchors, "--json")
    (step,) = [each for each in json.loads(out)["steps"] if each["code"] == "output.credentials"]
    assert step["outcome"] == "passed"
    assert "is by whom you trust" in step["title"]
    other = company.desk.folder / "other.pem"
    other.write_bytes(authority("another").pem)
    code, out, _ = company.desk.assay(*verify, other)
    assert (code, "signingCredential.untrusted" in words_of(out)) == (50, True)
    assert company.desk.assay(*verify, company.key)[0] == 10
    assert company.desk.assay(*verify, company.desk.folder / "absent.pem")[0] == 30


def test_anchors_are_a_demand_that_needs_the_library(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")[0] == 0
    monkeypatch.setattr(carriers, "LIBRARY", "no_such_library")
    verify = ("verify", company.picture, "--c2pa-anchors", company.anchors)
    code, _, err = company.desk.assay(*verify)
    assert (code, "pip install 'assay[c2pa]'" in err) == (50, True)


def test_one_changed_byte_breaks_it_anchors_or_not(company: Company) -> None:
    assert company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")[0] == 0
    company.picture.write_bytes(company.picture.read_bytes() + b"\x00")
    for more in ((), ("--c2pa-anchors", company.anchors)):
        code, out, _ = company.desk.assay("verify", company.picture, *more)
        assert (code, "assertion.dataHash.mismatch" in words_of(out)) == (21, True)


def test_the_key_of_outputs_may_be_that_of_the_certificate(company: Company) -> None:
    company.key.write_bytes(private_pem(company.leaf.key))
    assert company.sign()[0] == 0
    demanded = f"sha256:{sha256(spki(SoftwareKey.load(company.key, None).public_key))}"
    assert company.desk.assay("verify", company.picture, "--signer-key", demanded)[0] == 0


def test_it_is_signed_once(company: Company) -> None:
    words = ("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert company.sign(*words)[0] == 0
    kept = company.picture.read_bytes()
    code, out, _ = company.sign(*words)
    assert (code, "is signed already" in out, company.picture.read_bytes() == kept) == (
        0,
        True,
        True,
    )
    assert len(company.keeper.taken) == 1


def test_killed_before_its_evidence_is_there_it_goes_on(company: Company) -> None:
    words = ("--c2pa-key", company.desk.folder / "c2pa.pem")
    beside = company.desk.folder / "picture.png.assay.json"
    assert company.sign(*words)[0] == 0
    kept, evidence = company.picture.read_bytes(), beside.read_bytes()
    beside.unlink()
    code, out, err = company.sign(*words)
    assert (code, "The file has a C2PA manifest now" in out) == (0, True), err
    assert (company.picture.read_bytes(), beside.read_bytes()) == (kept, evidence)
    assert len(company.keeper.taken) == 1


@pytest.mark.parametrize(
    "listed", [{"checkpoint": f"sha256:{'3' * 64}"}, {"claim": "server-generated"}, {"batch": "1"}]
)
def test_a_manifest_of_which_nothing_was_signed_so_is_left(
    company: Company, listed: dict[str, str]
) -> None:
    company.keeper.listed = listed
    words = ("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert company.sign(*words)[0] == 0
    kept = company.picture.read_bytes()
    (company.desk.folder / "picture.png.assay.json").unlink()
    code, _, err = company.sign(*words)
    assert (code, "expected a file without a C2PA manifest, found one" in err) == (50, True)
    assert company.picture.read_bytes() == kept


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [(503, 5, "answered 503"), (404, 50, "expected a file without a C2PA manifest, found one")],
)
def test_what_the_registry_says_of_a_file_that_has_one_is_said(
    company: Company, status: int, code: int, says: str
) -> None:
    words = ("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert company.sign(*words)[0] == 0
    (company.desk.folder / "picture.png.assay.json").unlink()
    digest = sha256(company.picture.read_bytes())
    by_content = f"/api/v1/outputs/by-content/{digest}"
    company.keeper.loopback.on("GET", by_content, Answer(status=status))
    found, _, err = company.sign(*words)
    assert (found, says in err) == (code, True)


def test_a_file_with_a_manifest_is_not_signed_beside_it(company: Company) -> None:
    """Whoever verifies it would be told that the manifest is another output's."""
    assert company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")[0] == 0
    (company.desk.folder / "picture.png.assay.json").unlink()
    company.keeper.loopback.seen.clear()
    words = ("--checkpoint", CHECKPOINT, "--registry", company.keeper.loopback.url)
    code, _, err = company.desk.assay("sign", company.picture, *words)
    assert (code, "found one in it, which does not speak of" in words_of(err)) == (50, True)
    company.picture.write_bytes(PNG)
    company.picture.with_name("picture.png.c2pa").write_bytes(b"any")
    code, _, err = company.desk.assay("sign", company.picture, *words)
    assert (code, "found one beside it (picture.png.c2pa)" in words_of(err)) == (50, True)
    assert company.keeper.loopback.seen == []


def test_a_manifest_at_some_address_is_one_too(company: Company) -> None:
    company.picture.write_bytes(media.named_elsewhere())
    code, _, err = company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert (code, "expected a file without a C2PA manifest, found one" in err) == (50, True)
    assert company.picture.read_bytes() == media.named_elsewhere()


def test_the_certificate_of_another_key_is_refused(company: Company) -> None:
    code, _, err = company.sign()
    assert (code, "found another's (--c2pa-key names its key)" in err) == (3, True)
    assert company.sign("--c2pa-chain", company.desk.folder / "absent.pem")[0] == 30
    assert company.keeper.loopback.seen == []


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"checkpoint_sha256": "3" * 64}, "found one of"),
        ({"claim": Origin.SERVER_GENERATED}, "server-generated"),
        ({"output": "0b8f7ad4-6b8e-4b53-8f3a-54b0c2b7e6c1"}, "nothing was signed"),
    ],
    ids=["another checkpoint", "another claim", "another output"],
)
def test_a_definition_of_something_else_is_not_signed(
    company: Company, said: dict[str, Any], says: str
) -> None:
    company.keeper.said = said
    refused(company, code=22, says=says)


@pytest.mark.parametrize(
    "more",
    [
        {"title": "an advertisement"},
        {"claim_generator_info": [{"name": "somebody"}]},
        {"ingredients": []},
        {"assertions": []},
        {"format": "image/jpeg"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_definition_that_says_more_or_less_is_not_signed(
    company: Company, more: dict[str, Any]
) -> None:
    company.keeper.more = more
    found, _, err = company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert found in {10, 50}, err
    assert company.picture.read_bytes() == PNG


def test_what_is_no_picture_is_left_as_it_is(company: Company) -> None:
    company.picture.write_bytes(b"no picture")
    code, _, err = company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert (code, "of which c2pa says" in err) == (50, True)
    assert company.picture.read_bytes() == b"no picture"


def test_without_a_time_nothing_is_signed(company: Company) -> None:
    del company.keeper.loopback.made[STAMPS]
    refused(company, code=50, says="c2pa says")
    refused(company, "--c2pa-tsa", "http://127.0.0.1:1/timestamp", code=50, says="c2pa says")


def test_what_the_registry_refuses_leaves_the_file(company: Company) -> None:
    company.keeper.refusals = ["conduct-not-accepted"]
    code, _, _ = company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert (code, company.picture.read_bytes() == PNG) == (5, True)
    assert not (company.desk.folder / "picture.png.assay.json").exists()


def test_words_go_together(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = company.desk.folder / "chain.pem"
    base = ("sign", company.picture, "--checkpoint", CHECKPOINT)
    code, _, err = company.desk.assay(*base, "--c2pa-chain", chain)
    assert (code, "--c2pa-chain needs --key" in err) == (2, True)
    code, _, err = company.desk.assay(*base, "--key", company.key, "--c2pa-tsa", "http://x")
    assert (code, "--c2pa-tsa goes with --c2pa-chain" in err) == (2, True)
    monkeypatch.setattr(carriers, "LIBRARY", "no_such_library")
    code, _, err = company.sign("--c2pa-key", company.desk.folder / "c2pa.pem")
    assert (code, "pip install 'assay[c2pa]'" in err) == (50, True)
    assert MANIFESTS not in {(each.method, each.path) for each in company.keeper.loopback.seen}
