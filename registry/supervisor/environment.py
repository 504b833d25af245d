# SPDX-License-Identifier: Apache-2.0
"""Fills in the environment variables that a registry on one machine can work out itself.

Runs before Django reads its settings. What the environment already says is never changed; with
DATABASE_URL and BROKER_URL set, nothing is embedded. docs/settings.md describes each variable.
"""

import json
import secrets
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assay.signing import durable
from registry.env import SHOWN_CHARACTERS, whole

from .errors import SupervisorError
from .places import Places
from .postgres import Postgres
from .valkey import Valkey

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8000
LAST_PORT = 65535
SECRET_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What runs here, and where."""

    places: Places
    postgres: Postgres | None  # None: DATABASE_URL names a server that somebody else runs
    valkey: Valkey | None
    port: int
    public_url: str
    watermark_key: Path
    trustmark: Path | None  # the folder of its networks


def fill_in(environment: MutableMapping[str, str]) -> Deployment:
    """Sets what is missing and says what is to be started."""
    places = Places.of(Path(environment.get("ASSAY_DATA_DIR") or CHECKOUT / ".data"))
    postgres = Postgres(
        data=places.postgres,
        socket_folder=places.sockets / "postgres",
        log=places.logs / "postgres.log",
    )
    valkey = Valkey(
        data=places.valkey,
        socket_path=places.sockets / "valkey" / "socket",
        log=places.logs / "valkey.log",
    )
    # Filled in by an earlier call, or by the process that started this one, it is still ours.
    has_database = environment.get("DATABASE_URL") not in {None, "", postgres.url}
    has_broker = environment.get("BROKER_URL") not in {None, "", valkey.url}
    public_url, origin = _permanent_names(environment, places)
    _set_missing(
        environment,
        ASSAY_DATA_DIR=str(places.data),
        DATABASE_URL=postgres.url,
        BROKER_URL=valkey.url,
        ASSAY_PUBLIC_URL=public_url,
        ASSAY_LEDGER_ORIGIN=origin,
        ASSAY_SIGNER_SOCKET=str(places.signer_socket),
        ASSAY_SECRET_KEY_FILE=str(secret_file(places.secrets / "secret-key")),
        ASSAY_WATERMARK_KEY_FILE=str(secret_file(places.secrets / "watermark-key")),
    )
    return Deployment(
        places=places,
        postgres=None if has_database else postgres,
        valkey=None if has_broker else valkey,
        port=_port(environment) or _port_in(public_url) or DEFAULT_PORT,
        public_url=public_url,
        watermark_key=Path(environment["ASSAY_WATERMARK_KEY_FILE"]),
        trustmark=Path(networks) if (networks := environment.get("ASSAY_TRUSTMARK")) else None,
    )


def secret_file(path: Path) -> Path:
    """A file with a random secret in one line, mode 0600; made on the first call, then kept."""
    if not path.exists():
        durable.write_file(path, secrets.token_urlsafe(SECRET_BYTES).encode() + b"\n")
    return path


def _permanent_names(environment: MutableMapping[str, str], places: Places) -> tuple[str, str]:
    """The public URL and the ledger's origin: the authority's, once there is one."""
    trust_root = places.authority / "trust-root.json"
    if trust_root.exists():
        pinned = json.loads(trust_root.read_bytes())
        public_url, origin = pinned["registry"], pinned["ledger"]["origin"]
        for name, fixed in (("ASSAY_PUBLIC_URL", public_url), ("ASSAY_LEDGER_ORIGIN", origin)):
            asked = environment.get(name) or fixed
            if asked.rstrip("/") != fixed:
                raise SupervisorError(
                    f"{name} is {asked}, but this registry's certificates say {fixed} for ever; "
                    "unset it, or start a new registry in another ASSAY_DATA_DIR"
                )
        return public_url, origin
    port = _port(environment) or DEFAULT_PORT
    public_url = (environment.get("ASSAY_PUBLIC_URL") or f"http://localhost:{port}").rstrip("/")
    origin = environment.get("ASSAY_LEDGER_ORIGIN") or f"{urlsplit(public_url).netloc}/ledger"
    return public_url, origin


def _port(environment: MutableMapping[str, str]) -> int | None:
    text = environment.get("ASSAY_PORT", "")
    if not text:
        return None
    if not (port := whole(text, most=LAST_PORT)):
        raise SupervisorError(
            f"ASSAY_PORT must be a port (1 to {LAST_PORT}), but is {text[:SHOWN_CHARACTERS]!r}"
        )
    return port


def _port_in(public_url: str) -> int | None:
    try:
        return urlsplit(public_url).port
    except ValueError as error:
        message = "ASSAY_PUBLIC_URL must be like https://registry.example, but its port is none"
        raise SupervisorError(message) from error


def _set_missing(environment: MutableMapping[str, str], **values: str) -> None:
    for name, value in values.items():
        if not environment.get(name):
            environment[name] = value
