# SPDX-License-Identifier: Apache-2.0
"""TUF distributes the trusted root: python-tuf's own client fetches it from a running registry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from tuf.api.exceptions import ExpiredMetadataError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import Updater

from assay.signing.keys import SoftwareKey
from assay.signing.signer.keyring import Keyring
from assay.signing.signer.offline import __main__ as program
from assay.signing.signer.offline.distributing import ROOT_DAYS, Request, sign
from registry.sigstore import distributing, tasks
from registry.sigstore.errors import NotDistributed
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offline(authority: Authority, tmp_path: Path) -> Path:
    """Where the offline keys are, as an operator has them at hand."""
    for path in (*distributing.folder().glob("*.json"), *distributing.folder().glob("targets/*")):
        path.unlink()
    folder = tmp_path / "offline"
    folder.mkdir()
    return folder


def held(folder: Path) -> bytes:
    call_command("tuf", "root", offline=folder)
    call_command("tuf", "refresh")
    return (distributing.folder() / "1.root.json").read_bytes()


def updater(live: Live, root: bytes, folder: Path) -> Updater:
    for name in ("metadata", "targets"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    url = f"{live.url}/trust/"
    return Updater(
        str(folder / "metadata"),
        url,
        target_dir=str(folder / "targets"),
        target_base_url=f"{url}targets/",
        bootstrap=root,
    )


def fetch(client: Updater, name: str = "trusted_root.json") -> object:
    client.refresh()
    info = client.get_targetinfo(name)
    assert info is not None
    return json.loads(Path(client.download_target(info)).read_bytes())


def test_their_client_fetches_what_the_registry_shows(
    live: Live, offline: Path, tmp_path: Path
) -> None:
    root = held(offline)
    client = updater(live, root, tmp_path)
    with live.client() as http:
        assert fetch(client) == http.get("/.well-known/assay/trusted_root.json").json()
        newest = http.get("/trust/timestamp.json")
        assert newest.headers["cache-control"] == "no-cache"
        fixed = http.head("/trust/1.root.json")
        assert (fixed.status_code, fixed.content) == (200, b"")
        assert "immutable" in fixed.headers["cache-control"]
        assert http.get("/trust/9.root.json").status_code == 404
        assert http.post("/trust/timestamp.json").status_code == 405
        assert http.get("/trust/../secrets/secret-key").status_code == 404
    assert fetch(updater(live, root, tmp_path), "signing_config.v0.2.json")


def test_a_changed_file_is_refused_by_their_client(
    live: Live, offline: Path, tmp_path: Path
) -> None:
    root = held(offline)
    path = distributing.folder() / "timestamp.json"
    changed = json.loads(path.read_bytes())
    changed["signed"]["version"] = 2
    path.write_text(json.dumps(changed))
    with pytest.raises(UnsignedMetadataError):
        fetch(updater(live, root, tmp_path))


def test_a_new_root_is_followed_by_who_has_the_old_one(
    live: Live, offline: Path, tmp_path: Path
) -> None:
    root = held(offline)
    call_command("tuf", "root", offline=offline)
    assert fetch(updater(live, root, tmp_path))
    newest = distributing.newest_root()
    assert newest is not None
    assert newest.version == 2


def signed(request: Request, folder: Path, *, at: datetime | None = None) -> bytes:
    return sign(request, folder, keyring=Keyring(b"a passphrase"), at=at or timezone.now())


def _by_another_key(folder: Path) -> bytes:
    signed(replace(distributing.request(), version=1), folder)  # makes a key of its own
    return signed(distributing.request(), folder)


def _that_ended(folder: Path) -> bytes:
    at = timezone.now() - timedelta(days=ROOT_DAYS + 1)
    return signed(replace(distributing.request(), version=1), folder, at=at)


def _for_another_signer(folder: Path) -> bytes:
    key = SoftwareKey.generate().public_key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return signed(replace(distributing.request(), online_key=key), folder)


def _that_is_none(_folder: Path) -> bytes:
    return b"{}"


@pytest.mark.parametrize(
    ("has_one", "made", "says"),
    [
        (True, _by_another_key, "signed by its key and the one before"),
        (False, _that_ended, "expected version 1, not ended, found version 1, good until 20"),
        (False, _for_another_signer, "a root that names the signer's key"),
        (False, _that_is_none, "signed by its key"),
    ],
)
def test_a_root_that_clients_would_not_follow_is_not_published(
    offline: Path, tmp_path: Path, has_one: bool, made: Callable[[Path], bytes], says: str
) -> None:
    if has_one:
        held(offline)
    before = sorted(distributing.folder().glob("*.root.json"))
    with pytest.raises(NotDistributed, match=says):
        distributing.take_root(made(tmp_path), now=timezone.now())
    assert sorted(distributing.folder().glob("*.root.json")) == before


def test_a_root_is_published_once(offline: Path) -> None:
    root = held(offline)
    with pytest.raises(NotDistributed, match="expected version 2, not ended, found version 1"):
        distributing.take_root(root, now=timezone.now())


def test_a_root_signed_on_a_machine_without_a_network_is_followed(
    live: Live, offline: Path, tmp_path: Path, authority: Authority
) -> None:
    del offline  # what was distributed before is gone
    medium, passphrase = tmp_path / "medium", tmp_path / "root.passphrase"
    call_command("tuf", "request", to=medium)
    passphrase.touch(mode=0o600)
    passphrase.write_bytes(authority.passphrase_file.read_bytes())
    root = Path(shutil.copytree(authority.directory / "offline", tmp_path / "root"))
    words = ("--folder", root, "--passphrase-file", passphrase, "--requests", medium)
    assert program.main(["tuf", *map(str, words), "--out", str(medium)]) == 0
    call_command("tuf", "root", signed=medium / "1.root.json")
    call_command("tuf", "refresh")
    assert fetch(updater(live, (medium / "1.root.json").read_bytes(), tmp_path))


def test_it_is_renewed_when_it_is_due_and_not_before(
    live: Live, offline: Path, tmp_path: Path
) -> None:
    root = held(offline)
    now = timezone.now()
    tasks.distribute()
    assert not (distributing.folder() / "2.targets.json").exists()
    path = distributing.folder() / "timestamp.json"
    before = path.read_bytes()
    assert distributing.refresh(now=now + timedelta(hours=1)) is False
    assert path.read_bytes() == before
    path.unlink()
    assert distributing.refresh(now=now) is True
    assert fetch(updater(live, root, tmp_path))


def test_what_changed_is_distributed_at_once(
    offline: Path, settings: Settings, tmp_path: Path
) -> None:
    held(offline)
    providers = tmp_path / "providers.json"
    item = {"name": "x", "issuer": "https://login.example", "uses": ["signing"]}
    providers.write_text(json.dumps({"providers": [item]}))
    settings.OIDC_PROVIDERS = str(providers)
    assert distributing.refresh(now=timezone.now()) is True
    targets = Metadata[Targets].from_file(str(distributing.folder() / "2.targets.json")).signed
    assert set(targets.targets) == {"trusted_root.json", "signing_config.v0.2.json"}


def test_an_old_timestamp_is_refused_by_their_client(
    live: Live, offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributing, "TIMESTAMP_DAYS", 1e-3)  # a minute and a half
    call_command("tuf", "root", offline=offline)
    assert distributing.refresh(now=timezone.now()) is True
    root = (distributing.folder() / "1.root.json").read_bytes()
    client = updater(live, root, tmp_path)
    client._trusted_set.reference_time = timezone.now() + timedelta(days=1)
    with pytest.raises(ExpiredMetadataError):
        client.refresh()


def test_without_a_root_nothing_is_distributed(authority: Authority, offline: Path) -> None:
    assert distributing.refresh(now=timezone.now()) is False
    with pytest.raises(CommandError, match="offline keys"):
        call_command("tuf", "root", offline=offline / "nowhere")
    authority.stop()
    try:
        with pytest.raises(
            CommandError, match=r"^signer-unavailable: no signer answers .* registry up"
        ):
            call_command("tuf", "root", offline=offline)
    finally:
        authority.start()


def test_metadata_that_is_none_is_an_error(offline: Path) -> None:
    distributing.folder().mkdir(exist_ok=True)
    (distributing.folder() / "1.root.json").write_bytes(b"{}")
    with pytest.raises(CommandError, match="expected root"):
        call_command("tuf", "refresh")
