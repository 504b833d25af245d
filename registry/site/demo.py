# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a person, an organisation, conduct, data, a project and a run to train.

`prepare` may be called at every start: it makes what is missing and leaves what is there.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from assay.signing import durable
from registry.accounts import queries as accounts_queries
from registry.accounts import services as accounts
from registry.accounts.errors import InvalidToken
from registry.accounts.queries import Namespace, User
from registry.catalog import queries as catalog_queries
from registry.catalog import services as catalog
from registry.catalog.queries import Dataset, Project
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.conduct.queries import PolicyVersion
from registry.ledger import services as ledger
from registry.pool import queries as pool_queries
from registry.pool import services as pool
from registry.pool.queries import Run

USER = "demo"
ORGANISATION = "commons"
DATASET = "python-standard-library"
PROJECT = "stdlib-gpt"
TITLE = "A small model of Python"
SUMMARY = (
    "A byte-level GPT that learns to write Python from the source of the standard library, "
    "on whatever machine this registry runs on."
)
RECIPE_FILE = Path(__file__).with_name("demo_recipe.json")
TOKEN_SCOPES = ("node", "generation", "outputs")
TOKEN_DAYS = 365
PASSWORD_BYTES = 18
PASSWORD_FILE = "demo.password"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What there is now, and where its secrets are."""

    run: Run
    password_file: Path
    token_files: dict[str, Path]

    def to_json(self) -> dict[str, str]:
        """For the supervisor and for people."""
        return {
            "user": USER,
            "project": self.run.project.full_name,
            "run": str(self.run.id),
            "password_file": str(self.password_file),
            **{f"{scope}_token_file": str(path) for scope, path in self.token_files.items()},
        }


def prepare() -> Demo:
    """Make what is missing, in the order in which one needs the other."""
    person = _person()
    owner = _organisation(person)
    version = _conduct(person, owner)
    run = _run(_project(person, owner, version), _dataset(owner), person)
    files = {scope: _token_file(person, scope) for scope in TOKEN_SCOPES}
    return Demo(run=run, password_file=_secret(PASSWORD_FILE), token_files=files)


def is_here() -> bool:
    """Whether this registry has the demonstration, whose password is in a file."""
    return (_secrets() / PASSWORD_FILE).is_file()


def is_of(run: Run) -> bool:
    """Whether this is the demonstration's own run, on the library that it names."""
    return str(run.dataset) == f"{ORGANISATION}/{DATASET}"


def recipe() -> dict[str, object]:
    """What the demonstration trains, and how long; measured on two CPU cores."""
    document: dict[str, object] = json.loads(RECIPE_FILE.read_text(encoding="utf-8"))
    return document


def _person() -> User:
    existing = accounts_queries.user(USER)
    if existing is not None:
        return existing
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():  # no password file, no person
        person = accounts.create_user(USER, password)
        _write(_secret(PASSWORD_FILE), password)
    return person


def _organisation(person: User) -> Namespace:
    existing = accounts_queries.organisation(ORGANISATION)
    found = existing or accounts.create_organisation(ORGANISATION, person)
    return found.namespace


def _conduct(person: User, owner: Namespace) -> PolicyVersion:
    conduct.publish_shipped()
    version = conduct_queries.default()
    for party in (owner, person.namespace):
        conduct.accept(version, party, person)
    ledger.integrate()
    return version


def _dataset(owner: Namespace) -> Dataset:
    """The one that is there is kept: a newer Python's library would be other files."""
    existing = catalog_queries.dataset(owner, DATASET)
    return existing or catalog.add_dataset(owner, DATASET, catalog.standard_library())


def _project(person: User, owner: Namespace, version: PolicyVersion) -> Project:
    existing = catalog_queries.projects(person).filter(owner=owner, name=PROJECT).first()
    if existing is not None:
        return existing
    new = catalog.NewProject(
        owner=owner, name=PROJECT, title=TITLE, summary=SUMMARY, conduct=version
    )
    return catalog.create_project(new, person)


def _run(project: Project, dataset: Dataset, person: User) -> Run:
    existing = pool_queries.runs_of(project).first()
    return existing or pool.create_run(project, recipe(), dataset, person)


def _token_file(person: User, scope: str) -> Path:
    path = _secret(f"{scope}.token")
    if not _is_live(path):
        expires_at = timezone.now() + timedelta(days=TOKEN_DAYS)
        _, secret = accounts.issue_token(person, f"demonstration: {scope}", [scope], expires_at)
        _write(path, secret)
    return path


def _is_live(path: Path) -> bool:
    try:
        header = f"Bearer {path.read_text(encoding='utf-8').strip()}"
        return accounts.authenticate(header, now=timezone.now()) is not None
    except (FileNotFoundError, InvalidToken):
        return False


def _secret(name: str) -> Path:
    folder = _secrets()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / name


def _secrets() -> Path:
    return Path(settings.DATA_DIR) / "secrets"


def _write(path: Path, secret: str) -> None:
    """Readable by its owner alone, and whole or not there, whatever crashes."""
    durable.write_file(path, f"{secret}\n".encode())
