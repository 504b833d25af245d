# SPDX-License-Identifier: Apache-2.0
"""What a database needs before it is served: tables, an authority, the demonstration."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from assay.signing.digests import as_id
from registry.authority.ceremony import OFFLINE_FOLDER, ROOT_KEY_FILE, ROOT_PASSPHRASE_FILE
from registry.authority.queries import trust_root
from registry.sigstore.distributing import newest_root
from registry.site.services import welcome_link

from .environment import Deployment
from .programs import passphrase_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What `manage.py demo` made or found."""

    project: str
    run: str
    node_token: Path
    generation_token: Path
    outputs_token: Path


def migrate() -> None:
    """Brings the tables up to date."""
    _call("migrate", "--no-input")


def create_authority(deployment: Deployment) -> None:
    """The key ceremony, once; of what follows, two steps use the root's key while it lies here."""
    passphrase_file(deployment)
    if not (deployment.places.authority / "trust-root.json").exists():
        _call("authority", "init")


def renew_root_list(deployment: Deployment) -> None:
    """The root's list where it is due, for as long as its key lies where the ceremony put it."""
    folder = deployment.places.authority / OFFLINE_FOLDER
    if (folder / ROOT_KEY_FILE).exists():
        root = ("--root", str(folder), "--root-passphrase-file", str(folder / ROOT_PASSPHRASE_FILE))
        _call("authority", "root-list", "--if-due", *root)


def distribute_trust(deployment: Deployment) -> None:
    """The trusted root by TUF, from a root that is signed while its offline key still lies here."""
    folder = deployment.places.authority / OFFLINE_FOLDER
    if (folder / ROOT_KEY_FILE).exists() and newest_root() is None:
        _call("tuf", "root", "--offline", str(folder))
    _call("tuf", "refresh")


def demo() -> Demo:
    """A user, an organisation, a project and a run; found again on a later start."""
    made = json.loads(_call("demo"))
    return Demo(
        project=made["project"],
        run=made["run"],
        node_token=Path(made["node_token_file"]),
        generation_token=Path(made["generation_token_file"]),
        outputs_token=Path(made["outputs_token_file"]),
    )


def sign_in_link() -> str:
    """An address that signs the person at this terminal in, once."""
    try:
        return str(welcome_link())
    finally:
        connections.close_all()


def fingerprint() -> str:
    """By which people recognise this registry's trust root."""
    return as_id(trust_root().fingerprint)


def _call(*words: str) -> str:
    output = io.StringIO()
    try:
        call_command(*words, stdout=output)
    finally:
        connections.close_all()  # this process lives long; its connection need not
    return output.getvalue()
