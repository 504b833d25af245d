# SPDX-License-Identifier: Apache-2.0
"""A ledger that lies: whoever has its key and its folder can show another history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection

from assay.signing import treehead
from assay.signing.keys import SoftwareKey
from assay.signing.signer.opening import LEDGER_KEY_FILE
from assay.signing.treehead import TreeHead
from registry.ledger import folder, services
from tests.running import Authority
from tests.signing.witness.ledgers import Ledger

OTHER = Ledger([b"another %d" % number for number in range(300)])


def shown_head() -> TreeHead:
    """What the live ledger's newest file says."""
    note = folder.read(folder.CHECKPOINT)
    assert note is not None
    return treehead.parse(note.decode())


def grow(body: bytes = b"one more") -> TreeHead:
    """The live ledger takes in an entry; aside, for the browser's loop is this thread's."""
    with ThreadPoolExecutor() as aside:
        aside.submit(_add, body).result()
    return shown_head()


def show_another_history(authority: Authority, size: int, *, tiles_of: int | None = None) -> str:
    """Put another history's files in the place of the ledger's; gives its head, signed as ours is.

    `tiles_of` is the size whose tiles are there: another one's than the head's.
    """
    passphrase = authority.passphrase_file.read_bytes().strip()
    key = SoftwareKey.load(authority.directory / LEDGER_KEY_FILE, passphrase)
    note = OTHER.note(size, origin=settings.LEDGER_ORIGIN, key=key)
    files = OTHER.files(size if tiles_of is None else tiles_of)
    for path, data in files.items():
        folder.write(path, data)
    folder.write(folder.CHECKPOINT, note.encode())
    return note


def _add(body: bytes) -> None:
    services.log(body)
    services.integrate()
    connection.close()
