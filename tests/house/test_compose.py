# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml and docker/nginx.conf are valid and keep the signer apart."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .sources import ROOT

COMPOSE = ROOT / "docker-compose.yml"
SERVICES = {"postgres", "valkey", "init", "signer", "web", "worker", "beat", "nginx"}
NGINX_SCRATCH = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def schema_errors(path: Path) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    ended = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stdout


def test_it_follows_the_compose_specification() -> None:
    assert schema_errors(COMPOSE) == ""


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


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    server = (ROOT / "docker" / "nginx.conf").read_text(encoding="utf-8")
    (tmp_path / "server.conf").write_text(server.replace("web:8000", "127.0.0.1:8000"))
    main = tmp_path / "nginx.conf"
    scratch = "".join(f"{kind}_temp_path {tmp_path};\n" for kind in NGINX_SCRATCH)
    main.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{scratch}include {tmp_path}/server.conf;\n}}\n"
    )
    ended = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(main)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
