# SPDX-License-Identifier: Apache-2.0
"""Deployment mistakes as system checks: `manage.py check --deploy` finds them before anybody else.

E001 secret key of one process only · E002 plain http for more than this machine · E003 others may
read the data folder · E004 debugging in public · E005 an origin no tree head can carry · E006 a
policy of witnesses that cannot be read · E007 a bucket's file that cannot be read, or by others ·
E008 half of an account for DOIs, or a password that cannot be read, or by others · E009 a place for
a proxy to read blobs from, and no proxy · E010 a watermark key that cannot be read, or by others ·
E011 a folder without TrustMark's networks, or no key to vouch for what they write.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from assay.signing import trustmark
from assay.signing.digests import as_id, sha256_file
from assay.signing.errors import InvalidDocument
from assay.signing.tlog import Policy
from registry.api.problems import Problem
from registry.catalog import datacite
from registry.outputs import marks
from registry.storage.bucket import Account

THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
# A signed note's origin is one line, and `+` separates the parts of a verifier key (C2SP).
_ORIGIN = re.compile(r"[^\s+]{1,200}")


class Deployment(AppConfig):
    """The project as an app of its own, so that its checks are registered like any other's."""

    name = "registry"
    label = "registry"

    def ready(self) -> None:
        """Registers the checks."""
        for check in (
            has_a_lasting_secret_key,
            is_encrypted_in_public,
            keeps_its_data_to_itself,
            does_not_debug_in_public,
            has_a_usable_origin,
            has_a_usable_policy,
            has_a_usable_bucket,
            has_all_for_dois_or_nothing,
            has_a_proxy_that_reads_blobs,
            has_a_usable_watermark_key,
            has_trustmark_whole_or_not_at_all,
        ):
            register(check, Tags.security, deploy=True)


def has_a_lasting_secret_key(**_: object) -> list[CheckMessage]:
    """Two processes with keys of their own do not know each other's sessions and cursors."""
    if settings.SECRET_KEY_FILE:
        return []
    hint = (
        "Write 50 random characters into a file of mode 0600 and name it in ASSAY_SECRET_KEY_FILE."
    )
    return [Error("The secret key lasts as long as this process only.", hint=hint, id="assay.E001")]


def is_encrypted_in_public(**_: object) -> list[CheckMessage]:
    """Tokens and sessions would cross the network in the clear."""
    if not settings.IS_LOCAL or urlsplit(settings.PUBLIC_URL).hostname in THIS_MACHINE:
        return []
    hint = "Set ASSAY_PUBLIC_URL to the https:// address that people will use."
    return [Error("The public URL is plain http.", hint=hint, id="assay.E002")]


def keeps_its_data_to_itself(**_: object) -> list[CheckMessage]:
    """The folder holds keys, secrets and blobs that are not public."""
    folder = Path(settings.DATA_DIR)
    if not folder.is_dir() or not folder.stat().st_mode & 0o077:
        return []
    hint = f"chmod 700 {folder}"
    return [Error("Other users may read the data folder.", hint=hint, id="assay.E003")]


def does_not_debug_in_public(**_: object) -> list[CheckMessage]:
    """Django's debug page shows settings and code to whoever makes it fail."""
    if not settings.DEBUG or settings.IS_LOCAL:
        return []
    return [Error("Debugging is on.", hint="Unset ASSAY_DEBUG.", id="assay.E004")]


def has_a_usable_origin(**_: object) -> list[CheckMessage]:
    """The ledger's origin is in every signed tree head, for ever."""
    if _ORIGIN.fullmatch(settings.LEDGER_ORIGIN):
        return []
    hint = "Set ASSAY_LEDGER_ORIGIN to a name like registry.example/ledger, without spaces or `+`."
    return [Error("No tree head can carry this origin.", hint=hint, id="assay.E005")]


def has_a_usable_policy(**_: object) -> list[CheckMessage]:
    """Without it no witness is asked, and nobody would notice."""
    if not settings.LEDGER_POLICY:
        return []
    try:
        Policy.parse(Path(settings.LEDGER_POLICY).read_bytes())
    except (OSError, InvalidDocument) as error:
        hint = f"Name a C2SP tlog-policy file in ASSAY_LEDGER_POLICY: {error}"
        return [Error("The witnesses are not known.", hint=hint, id="assay.E006")]
    return []


def has_a_usable_bucket(**_: object) -> list[CheckMessage]:
    """The first upload would find it out; and the file has a secret."""
    if not settings.BUCKET:
        return []
    try:
        Account.read(settings.BUCKET)
        others = Path(settings.BUCKET).stat().st_mode & 0o077
    except (OSError, InvalidDocument) as error:
        hint = f"Name a file like that of docs/guides/operator.md in ASSAY_BUCKET: {error}"
        return [Error("The bucket of the blobs is not known.", hint=hint, id="assay.E007")]
    if others:
        hint = f"chmod 600 {settings.BUCKET}"
        return [Error("Other users may read the bucket's key.", hint=hint, id="assay.E007")]
    return []


def has_all_for_dois_or_nothing(**_: object) -> list[CheckMessage]:
    """Owners would find no button, and nobody would know why; and the file has a secret."""
    if not datacite.is_begun():
        return []
    try:
        datacite.Account.read()
    except Problem as problem:
        hint = str(problem.detail)
        return [Error("DOIs cannot be registered.", hint=hint, id="assay.E008")]
    if Path(settings.DATACITE_PASSWORD_FILE).stat().st_mode & 0o077:
        hint = f"chmod 600 {settings.DATACITE_PASSWORD_FILE}"
        return [Error("Other users may read DataCite's password.", hint=hint, id="assay.E008")]
    return []


def has_a_proxy_that_reads_blobs(**_: object) -> list[CheckMessage]:
    """Each download would be empty."""
    if settings.BEHIND_PROXY or not settings.BLOBS_LOCATION:
        return []
    hint = "Set ASSAY_BEHIND_PROXY if nginx has docker/blobs.conf, else unset ASSAY_BLOBS_LOCATION."
    return [Error("Nobody sends what is downloaded.", hint=hint, id="assay.E009")]


def has_a_usable_watermark_key(**_: object) -> list[CheckMessage]:
    """Texts would carry a mark that nobody finds, or that others can make."""
    file = settings.WATERMARK_KEY_FILE
    if not file:
        return []
    try:
        marks.read(file)
    except ImproperlyConfigured as error:
        return [Error("There is no watermark key.", hint=str(error), id="assay.E010")]
    if Path(file).stat().st_mode & 0o077:
        return [
            Error("Others may read the watermark key.", hint=f"chmod 600 {file}", id="assay.E010")
        ]
    return []


def has_trustmark_whole_or_not_at_all(**_: object) -> list[CheckMessage]:
    """Pictures would carry a mark that nobody finds, or nobody could look at any."""
    if not settings.TRUSTMARK:
        return []
    title = "TrustMark cannot be used."
    if not settings.WATERMARK_KEY_FILE:
        return [Error(title, hint="Set ASSAY_WATERMARK_KEY_FILE as well.", id="assay.E011")]
    if settings.CONVERTER == "off":
        hint = "ASSAY_CONVERTER=off: nobody would look for its mark."
        return [Error(title, hint=hint, id="assay.E011")]
    for name, expected in trustmark.SHA256.items():
        path = Path(settings.TRUSTMARK) / name
        try:
            found, _size = sha256_file(path)
        except OSError as error:
            hint = f"ASSAY_TRUSTMARK: expected {path}, found: {error.strerror}"
            return [Error(title, hint=hint, id="assay.E011")]
        if found != expected:
            hint = f"{path}: expected {as_id(expected)}, found {as_id(found)}"
            return [Error(title, hint=hint, id="assay.E011")]
    return []
