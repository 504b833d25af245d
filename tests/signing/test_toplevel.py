# SPDX-License-Identifier: Apache-2.0
"""`import assay` names what programs ask for, and fetches it when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import assay
from assay.signing import offline


def test_each_name_is_what_offline_has_under_it() -> None:
    assert set(assay.__all__) == set(offline.__all__)
    assert all(getattr(assay, name) is getattr(offline, name) for name in assay.__all__)


def test_an_editor_is_told_the_names() -> None:
    assert {*assay.__all__, "signing", "__doc__"} <= set(dir(assay))


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="module 'assay' has no attribute 'verfy'"):
        getattr(assay, "verfy")  # noqa: B009 - the type checkers would find it


def test_nothing_is_fetched_before_it_is_asked_for() -> None:
    words = (
        "import sys, assay; dir(assay)\n"
        "assert {name for name in sys.modules if name.startswith('assay')} == {'assay'}\n"
        "assert 'cryptography' not in sys.modules\n"
        "assay.verify\n"
        "assert 'assay.signing.offline' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", words], check=True, timeout=60)
