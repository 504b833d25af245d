# SPDX-License-Identifier: Apache-2.0
"""Tree heads are signed along one history: no smaller tree, no other tree, no gap."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing import treehead
from assay.signing.merkle import EMPTY_ROOT
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import LedgerInconsistent, LedgerRollback, StorageUnavailable
from assay.signing.signer.highwater import HighWater
from tests.signing.signer.worlds import Clock, Ledger, in_thread, open_service


def _grown(client: SignerClient, size: int = 5) -> Ledger:
    """A ledger whose head of that size is signed."""
    ledger = Ledger()
    ledger.append(*(b"entry %d" % index for index in range(size)))
    client.sign_head(size, ledger.root(size), ())
    return ledger


def test_each_larger_tree_is_signed(client: SignerClient) -> None:
    ledger = Ledger()
    root = client.describe().trust_root
    signed = 0
    for size in (1, 2, 3, 8, 21):
        ledger.append(*(b"entry %d" % index for index in range(signed, size)))
        note = client.sign_head(size, ledger.root(size), ledger.proof(signed, size))
        head = treehead.verify(note, root.verifier)
        assert (head.origin, head.size, head.root) == (root.origin, size, ledger.root(size))
        signed = size
    assert client.describe().head.size == 21


def test_the_empty_ledger_has_a_head_too(client: SignerClient) -> None:
    note = client.sign_head(0, EMPTY_ROOT, ())
    assert treehead.parse(note).size == 0


def test_the_same_head_may_be_asked_for_again(client: SignerClient) -> None:
    ledger = _grown(client)
    assert client.sign_head(5, ledger.root(5), ()) == client.sign_head(5, ledger.root(5), ())


def test_a_smaller_tree_is_refused(client: SignerClient) -> None:
    ledger = _grown(client)
    with pytest.raises(LedgerRollback, match="at least 5 entries, found 4"):
        client.sign_head(4, ledger.root(4), ())


def test_another_tree_of_the_same_size_is_refused(client: SignerClient) -> None:
    _grown(client)
    with pytest.raises(LedgerRollback, match="another tree of 5 entries"):
        client.sign_head(5, b"\x02" * 32, ())


def test_a_larger_tree_with_another_history_is_refused(client: SignerClient) -> None:
    _grown(client)
    other = Ledger()
    other.append(*(b"other %d" % index for index in range(9)))
    with pytest.raises(LedgerInconsistent, match="does not extend"):
        client.sign_head(9, other.root(9), other.proof(5, 9))
    with pytest.raises(LedgerInconsistent):
        client.sign_head(9, other.root(9), ())
    assert client.describe().head.size == 5


def test_the_mark_survives_the_signer(folder: Path, tmp_path: Path, clock: Clock) -> None:
    for life in range(2):
        with in_thread(open_service(folder, clock), tmp_path / "s.sock"):
            client = SignerClient(tmp_path / "s.sock")
            if life == 0:
                ledger = _grown(client)
                continue
            assert client.describe().head.size == 5
            with pytest.raises(LedgerRollback):
                client.sign_head(4, ledger.root(4), ())


def test_nothing_is_signed_when_the_mark_cannot_be_stored(
    client: SignerClient, folder: Path
) -> None:
    ledger = _grown(client)
    ledger.append(b"one more")
    (folder / "head.json").rename(folder / "aside")
    (folder / "head.json").mkdir()
    with pytest.raises(StorageUnavailable, match="nothing was signed"):
        client.sign_head(6, ledger.root(6), ledger.proof(5, 6))
    assert client.describe().head.size == 5
    (folder / "head.json").rmdir()
    assert treehead.parse(client.sign_head(6, ledger.root(6), ledger.proof(5, 6))).size == 6
    assert HighWater.load(folder / "head.json").head.size == 6
