# SPDX-License-Identifier: Apache-2.0
"""What can go wrong on the way into a backup and back; every message says what to do."""

from __future__ import annotations


class BackupError(Exception):
    """A backup or a restoration that was not finished."""

    code = "backup"


class BackupBusy(BackupError):
    """Another process is writing into the same folder of backups."""

    code = "backup-busy"


class BackupDamaged(BackupError):
    """A file of a backup is missing, or has other bytes than when it was made."""

    code = "backup-damaged"


class NoBackup(BackupError):
    """There is no finished backup where one was looked for."""

    code = "no-backup"


class NoAuthorityHere(BackupError):
    """The signer's folder, or what a backup needs of it, is not on this machine."""

    code = "no-authority-here"


class BlobMissing(BackupError):
    """A row names a blob whose bytes are not there."""

    code = "blob-missing"


class NotEmpty(BackupError):
    """Something is where a backup would be restored to."""

    code = "not-empty"


class AnotherRegistry(BackupError):
    """The keys here are of another registry than the backup."""

    code = "another-registry"


class LedgerRolledBack(BackupError):
    """A tree head was signed that the backup's ledger does not continue."""

    code = "ledger-rolled-back"


class NotVerified(BackupError):
    """What was restored does not hold together: it stays closed."""

    code = "not-verified"


class DatabaseProgramFailed(BackupError):
    """pg_dump or pg_restore is missing, too old, or failed."""

    code = "database-program-failed"


class KeysNotOpened(BackupError):
    """A file of wrapped keys is not one, was changed, or has another passphrase."""

    code = "keys-not-opened"


class KeysNotWrapped(BackupError):
    """What was wrapped did not open again: no file was written."""

    code = "keys-not-wrapped"
