# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml and docker/nginx.conf are valid and keep the signer apart."""

import os
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from assay.signing.client import LedgerClient
from assay.signing.tiles import Reader
from registry.supervisor.postgres import INITDB, SUPERUSER
from tests.needing import needs
from tests.running import free_port

from .sources import ROOT

COMPOSE = ROOT / "docker-compose.yml"
HTTPS = ROOT / "docker" / "https.yml"
SERVICES = {
    "postgres",
    "valkey",
    "init",
    "signer",
    "web",
    "worker",
    "slow-worker",
    "beat",
    "nginx",
}
NGINX_SCRATCH = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def schema_errors(path: Path) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    ended = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stdout


@pytest.mark.parametrize("path", [COMPOSE, HTTPS], ids=lambda path: path.name)
def test_it_follows_the_compose_specification(path: Path) -> None:
    assert schema_errors(path) == ""


def test_a_mistake_in_it_would_be_seen(tmp_path: Path) -> None:
    changed = tmp_path / "docker-compose.yml"
    changed.write_text(COMPOSE.read_text(encoding="utf-8").replace("volumes:", "volume:"))
    assert "volume" in schema_errors(changed)


def test_it_has_every_program() -> None:
    assert set(yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]) == SERVICES


def test_only_the_signer_and_the_ceremony_mount_the_keys() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    with_keys = {
        name
        for name, service in services.items()
        if any(str(volume).startswith("authority:") for volume in service.get("volumes", ()))
        or any("passphrase" in str(secret) for secret in service.get("secrets", ()))
    }
    assert with_keys == {"init", "signer"}
    assert services["signer"]["network_mode"] == "none"


def test_a_container_that_is_read_only_is_given_its_secrets_as_files() -> None:
    """Compose copies any other secret into the container, which such a one refuses."""
    document = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    given = document["services"]["signer"]["secrets"]
    assert document["services"]["signer"]["read_only"]
    assert [list(document["secrets"][name]) for name in given] == [["file"]]


def test_the_database_is_made_as_the_embedded_one_is() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    words = services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert {*words, f"--username={SUPERUSER}"} == set(INITDB)


def test_whoever_has_the_data_has_the_ledger_that_everybody_reads() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    every = [each.get("volumes", []) for each in services.values()]
    with_data = [volumes for volumes in every if "data:/data" in volumes]
    assert len(with_data) == 5
    assert all("ledger:/data/ledger" in volumes for volumes in with_data)


def test_every_setting_of_the_page_reaches_the_registry() -> None:
    """`.env` goes to it whole; the files that settings name are mounted."""
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert services["web"]["env_file"] == [{"path": ".env", "required": False}]
    assert services["signer"]["env_file"] == []
    for name, value in services["web"]["environment"].items():
        if value.startswith("${") and (mount := value.partition(":+")[2].removesuffix("}")):
            assert any(
                f"${{{name}:-/dev/null}}:{mount}" in each for each in services["web"]["volumes"]
            )


def test_who_asks_the_witnesses_has_their_file() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    mount = "${ASSAY_LEDGER_POLICY:-/dev/null}:/etc/assay/tlog-policy:ro"
    for name in ("web", "worker"):
        told = services[name]["environment"]["ASSAY_LEDGER_POLICY"]
        assert told == "${ASSAY_LEDGER_POLICY:+/etc/assay/tlog-policy}"
        assert mount in services[name]["volumes"]


@pytest.mark.parametrize(
    ("name", "inside", "is_read_only"),
    [
        ("ASSAY_OIDC_PROVIDERS", "/etc/assay/oidc.json", True),
        ("ASSAY_BUCKET", "/etc/assay/bucket.json", True),
        ("ASSAY_SECOND_COPY", "/second-copy", False),
        ("ASSAY_DATACITE_PASSWORD_FILE", "/etc/assay/datacite-password", True),
    ],
)
def test_who_uses_what_the_machine_has_is_told_where_and_has_it(
    name: str, inside: str, *, is_read_only: bool
) -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    for service in ("web", "worker", "beat"):
        assert services[service]["environment"][name] == f"${{{name}:+{inside}}}"
        mount = f"${{{name}:-/dev/null}}:{inside}{':ro' if is_read_only else ''}"
        assert mount in services[service]["volumes"]
    for service in ("init", "signer"):
        assert not any(inside in volume for volume in services[service]["volumes"])


def test_nginx_reads_blobs_as_their_owner_and_no_secret() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    nginx = services["nginx"]
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert nginx["user"] == "10001:10001"
    assert "useradd --uid 10001" in dockerfile
    *files, ledger, blobs = nginx["volumes"]
    assert all(each.startswith("./docker/") and each.endswith(":ro") for each in files)
    assert ledger == "ledger:/data/ledger:ro"
    assert blobs == {
        "type": "volume",
        "source": "data",
        "target": "/data/blobs",
        "read_only": True,
        "volume": {"nocopy": True, "subpath": "blobs"},
    }
    blobs_conf = (ROOT / "docker" / "blobs.conf").read_text(encoding="utf-8")
    environment = services["web"]["environment"]
    assert environment["ASSAY_BEHIND_PROXY"] == "yes"
    assert f"location {environment['ASSAY_BLOBS_LOCATION']} {{\n    internal;" in blobs_conf
    assert "mkdir -p -m 0700 /data/blobs" in services["init"]["command"][-1]


def nginx_files(folder: Path, *replaced: tuple[str, str]) -> Path:
    """A main configuration around ours, with all that is written below the folder."""
    server = (ROOT / "docker" / "nginx.conf").read_text(encoding="utf-8")
    # Debian's nginx is too old to ask for an address again.
    for old, new in (("web:8000 resolve", "127.0.0.1:8000"), *replaced):
        assert old in server
        server = server.replace(old, new)
    (folder / "server.conf").write_text(server)
    blobs = (ROOT / "docker" / "blobs.conf").read_text(encoding="utf-8")
    assert "/data/blobs/" in blobs
    own = os.environ["ASSAY_DATA_DIR"]
    (folder / "blobs.conf").write_text(blobs.replace("/data/blobs/", f"{own}/blobs/"))
    main = folder / "nginx.conf"
    scratch = "".join(f"{kind}_temp_path {folder};\n" for kind in NGINX_SCRATCH)
    user = "user root;\n" if os.geteuid() == 0 else ""  # the test's folder is closed to others
    main.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{scratch}include {folder}/server.conf;\n}}\n"
    )
    return main


@needs("nginx")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(nginx_files(tmp_path))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@needs("nginx", "openssl")
def test_where_there_is_a_certificate_everybody_comes_to_it(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    key, chain = tmp_path / "tls" / "privkey.pem", tmp_path / "tls" / "fullchain.pem"
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    subprocess.run(
        ("openssl", "req", "-x509", *made, *name, "-keyout", str(key), "-out", str(chain)),
        check=True,
        capture_output=True,
    )
    port, secure = free_port(), free_port()
    tls = (ROOT / "docker" / "tls.conf").read_text(encoding="utf-8")
    for old, new in (
        ("listen 443", f"listen 127.0.0.1:{secure}"),
        ("http2 on;\n", ""),  # Debian's nginx is too old to know it
    ):
        assert old in tls
        tls = tls.replace(old, new)
    (tmp_path / "tls.conf").write_text(tls)
    tiles = tmp_path / "data" / "ledger"
    tiles.mkdir(parents=True)
    (tiles / "checkpoint").write_text("a note\n")
    places = (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("root /data;", f"root {tmp_path}/data;"),
    )
    main = nginx_files(tmp_path, *places)
    context = ssl.create_default_context(cafile=str(chain))
    with subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(main)]) as nginx:
        try:
            transport = httpx.HTTPTransport(retries=8, verify=context)
            with httpx.Client(transport=transport) as client:
                sent_on = client.get(f"http://localhost:{port}/ledger/checkpoint?a=b")
                note = client.get(f"https://localhost:{secure}/ledger/checkpoint")
        finally:
            nginx.terminate()
    assert sent_on.status_code == 301
    assert sent_on.headers["Location"] == "https://localhost/ledger/checkpoint?a=b"
    assert note.text == "a note\n"


@needs("nginx")
def test_nginx_serves_the_ledger_while_nothing_else_runs(tmp_path: Path) -> None:
    tiles = tmp_path / "data" / "ledger" / "tile" / "0"
    tiles.mkdir(parents=True)
    (tiles / "000").write_bytes(b"\x01" * 8192)
    (tmp_path / "data" / "ledger" / "checkpoint").write_text("a note\n")
    port = free_port()
    places = (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("root /data;", f"root {tmp_path}/data;"),
    )
    main = nginx_files(tmp_path, *places, ("127.0.0.1:8000", "127.0.0.1:1"))
    with subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(main)]) as nginx:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                tile = client.get(f"http://127.0.0.1:{port}/ledger/tile/0/000")
                note = client.get(f"http://127.0.0.1:{port}/ledger/checkpoint")
                gone = client.get(f"http://127.0.0.1:{port}/ledger/tile/0/001")
            # Of a smaller tree, whose partial tile the full one replaced.
            reader = Reader(size=100, fetch=LedgerClient(f"http://127.0.0.1:{port}/ledger").fetch)
            hashes = reader.leaf_hashes(0)
        finally:
            nginx.terminate()
    assert (tile.content, note.text, gone.status_code) == (b"\x01" * 8192, "a note\n", 404)
    assert "Cache-Control" not in gone.headers
    assert hashes == (b"\x01" * 32,) * 100
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert tile.headers["Content-Type"] == "application/octet-stream"
    assert note.headers["Cache-Control"] == "no-cache"
    assert note.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_the_image_makes_each_folder_that_its_user_writes_to() -> None:
    document = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    ours = {
        str(volume).split(":")[1]
        for service in document["services"].values()
        if "build" in service
        for volume in service.get("volumes", ())
        if str(volume).split(":")[0] in document["volumes"]
    }
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    made = {
        word
        for line in dockerfile.splitlines()
        if "install -d -o assay" in line
        for word in line.split()
        if word.startswith("/")
    }
    assert {"/data", "/data/authority"} <= ours
    assert ours <= made
