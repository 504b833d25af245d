# SPDX-License-Identifier: Apache-2.0
"""Keeps what the content gate found in files, by digest: tensors, and code that loaders would run.

What came before anything was kept is inspected again when its project is listed anew (renewing.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..models.found import Inspection
from .submission import Found


def keep(found: Iterable[Found]) -> None:
    """In the caller's transaction; whoever came first has said the same."""
    rows = {each.sha256: _row(each) for each in found if each.is_.needs_code or each.is_.tensors}
    in_order = [rows[sha256] for sha256 in sorted(rows)]  # or two that share files would deadlock
    Inspection.objects.bulk_create(in_order, ignore_conflicts=True)


def _row(found: Found) -> Inspection:
    row = Inspection(sha256=found.sha256, needs_code=found.is_.needs_code)
    if found.is_.tensors:
        said = found.is_.tensors.to_json()
        row.tensor_count = found.is_.tensors.count
        row.parameters, row.tensors = said["parameters"], said["listed"]
    return row
