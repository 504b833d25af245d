# SPDX-License-Identifier: Apache-2.0
"""oras-py and skopeo, unmodified, pull a checkpoint with its signature, which then verifies."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from registry.catalog import services
from registry.catalog.models import Checkpoint, Gate, Visibility
from registry.catalog.queries import exporting
from tests.clients.test_a_downloaded_checkpoint import NAME, PROGRAMS, SECONDS, Downloaded
from tests.needing import needs
from tests.registry.catalog.world import FILES, World, accept, build, by_node, publish
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

TITLE = "org.opencontainers.image.title"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PULL = """
import json, sys
from oras.client import OrasClient
host, reference, folder, token = sys.argv[1:]
client = OrasClient(hostname=host, insecure=True)
if token:
    client.auth.set_basic_auth('alice', token)
print(json.dumps(client.pull(target=f'{host}/lab/small{reference}', outdir=folder)))
print(json.dumps(client.get_tags(f'{host}/lab/small')))
"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("clients"),
]
needs_skopeo = needs("skopeo")


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


@pytest.fixture
def published(world: World) -> Checkpoint:
    files = {**FILES, "sub/vocab.txt": b"word " * 300_000}
    return publish(by_node(world, files=files))


def ran(*words: object) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"], "no_proxy": "*"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def refers(live: Live, digest: str, kind: str = BUNDLE) -> Any:  # noqa: ANN401 - JSON
    """The descriptor of the signature's manifest, or another kind's, by the referrers API."""
    with live.client() as client:
        query = {"artifactType": kind}
        (found,) = client.get(f"/v2/lab/small/referrers/{digest}", params=query).json()["manifests"]
        return found


def verify(live: Live, of: Checkpoint, folder: Path, home: Path) -> None:
    """By model_signing, which is not ours either; and not once a byte is changed."""
    with live.client() as client:
        said = client.get(f"/api/v1/checkpoints/sha256:{of.manifest_sha256}").json()["sigstore"]
        config = client.get("/.well-known/assay/trust_config.json").content
    (home / "trust_config.json").write_bytes(config)
    pulled = Downloaded(
        model=folder,
        config=home / "trust_config.json",
        identity=said["identity"],
        provider=said["identity_provider"],
        commands="",
    )
    done = pulled.verify()
    assert done.returncode == 0, done.stderr
    (folder / "config.json").write_bytes(b"{}")
    assert pulled.verify().returncode != 0


def contents(folder: Path) -> Mapping[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_oras_pulls_files_and_signature_and_they_verify(
    live: Live, world: World, published: Checkpoint, tmp_path: Path
) -> None:
    host, folder = urlsplit(live.url).netloc, tmp_path / "pulled"
    token = secret_of(world.people.alice, "read")
    pulled = ran(PROGRAMS / "python", "-c", PULL, host, ":main", folder, token).splitlines()
    assert len(json.loads(pulled[0])) == len(FILES) + 1
    assert json.loads(pulled[1]) == sorted(["latest", "main", published.name])
    assert contents(folder)["sub/vocab.txt"] == b"word " * 300_000
    with live.client() as client:
        named = client.head("/v2/lab/small/manifests/main").headers["Docker-Content-Digest"]
    signature = refers(live, named)["digest"]
    ran(PROGRAMS / "python", "-c", PULL, host, f"@{signature}", folder, "")
    assert {NAME, *FILES} < set(contents(folder))
    verify(live, published, folder, tmp_path)


def test_oras_pulls_the_bills_of_material(
    live: Live, published: Checkpoint, tmp_path: Path
) -> None:
    host = urlsplit(live.url).netloc
    with live.client() as client:
        named = client.head("/v2/lab/small/manifests/main").headers["Docker-Content-Digest"]
    for kind in ("application/spdx+json", "application/vnd.cyclonedx+json"):
        bom = refers(live, named, kind)["digest"]
        ran(PROGRAMS / "python", "-c", PULL, host, f"@{bom}", tmp_path, "")
    pulled = {name: content.decode() for name, content in contents(tmp_path).items()}
    boms = {name: pulled[name] for name in ("bom.spdx3.json", "bom.cdx.json")}
    assert boms == dict(exporting.stated(published))


@needs_skopeo
def test_skopeo_copies_files_and_signature_and_they_verify(
    live: Live, published: Checkpoint, tmp_path: Path
) -> None:
    place = f"docker://{urlsplit(live.url).netloc}/lab/small"
    listed = json.loads(ran("skopeo", "list-tags", "--tls-verify=false", place))
    assert listed["Tags"] == sorted(["latest", "main", published.name])
    copy = ("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false")
    ran(*copy, f"{place}:{published.name}", f"dir:{tmp_path / 'image'}")
    content = (tmp_path / "image" / "manifest.json").read_bytes()
    raw = ran("skopeo", "inspect", "--tls-verify=false", "--raw", f"{place}:main")
    assert raw.encode() == content
    signature = refers(live, f"sha256:{hashlib.sha256(content).hexdigest()}")["digest"]
    ran(*copy, f"{place}@{signature}", f"dir:{tmp_path / 'signature'}")
    folder = tmp_path / "pulled"
    lay_out(tmp_path / "image", folder)
    lay_out(tmp_path / "signature", folder)
    verify(live, published, folder, tmp_path)


def test_what_is_private_is_pulled_with_a_token_and_by_nobody_else(
    live: Live, world: World, published: Checkpoint, tmp_path: Path
) -> None:
    alice = world.people.alice
    services.show(world.project, Visibility.PRIVATE, by=alice)
    host, token = urlsplit(live.url).netloc, secret_of(alice, "read")
    pull = (PROGRAMS / "python", "-c", PULL, host, ":main")
    pulled = ran(*pull, tmp_path / "pulled", token).splitlines()
    assert len(json.loads(pulled[0])) == len(FILES) + 1
    assert contents(tmp_path / "pulled")["sub/vocab.txt"] == b"word " * 300_000
    for wrong in ("", secret_of(world.people.charlie, "read")):
        with pytest.raises(AssertionError):
            ran(*pull, tmp_path / "nothing", wrong)
    assert not list((tmp_path).glob("nothing/*"))


@needs_skopeo
def test_skopeo_logs_in_with_a_token_and_copies_what_is_private_or_gated(
    live: Live, world: World, published: Checkpoint, tmp_path: Path
) -> None:
    alice, charlie = world.people.alice, world.people.charlie
    host, kept = urlsplit(live.url).netloc, f"--authfile={tmp_path / 'auth.json'}"
    place = f"docker://{host}/lab/small"
    login = ("skopeo", "login", kept, "--tls-verify=false", "-u", "charlie", "-p")
    copy = ("skopeo", "copy", "--insecure-policy", "--src-tls-verify=false")
    told = (f"--src-authfile={tmp_path / 'auth.json'}", f"{place}:main")
    with pytest.raises(AssertionError, match="invalid username/password"):
        ran(*login, "nothing", host)
    ran(*login, secret_of(charlie, "read"), host)
    gated = services.set_gate(world.project, Gate.ASKS, "Who are you?", by=alice)
    with pytest.raises(AssertionError, match="denied: lab/small is gated"):
        ran(
            *copy,
            f"--src-authfile={tmp_path / 'auth.json'}",
            f"{place}:main",
            f"dir:{tmp_path}/nowhere",
        )
    accept(world, charlie)
    services.grant(gated, charlie, by=alice)
    ran(*copy, *told, f"dir:{tmp_path / 'a'}")
    services.show(world.project, Visibility.PRIVATE, by=alice)
    with pytest.raises(AssertionError, match="name unknown"):
        ran(
            *copy,
            f"--src-authfile={tmp_path / 'auth.json'}",
            f"{place}:main",
            f"dir:{tmp_path}/nowhere",
        )
    creds = f"--src-creds=alice:{secret_of(alice, 'read')}"
    ran(*copy, creds, f"{place}:main", f"dir:{tmp_path / 'b'}")
    first, second = (tmp_path / each / "manifest.json" for each in "ab")
    assert first.read_bytes() == second.read_bytes()


def lay_out(image: Path, folder: Path) -> None:
    """The layers under their names; a blob's name in skopeo's folder is its digest."""
    for layer in json.loads((image / "manifest.json").read_bytes())["layers"]:
        path = folder / layer["annotations"][TITLE]
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image / layer["digest"].removeprefix("sha256:"), path)
