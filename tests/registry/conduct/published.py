# SPDX-License-Identifier: Apache-2.0
"""The conduct that tests are under which do not ask for more, and versions of another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry.conduct import queries, services
from registry.conduct.queries import PolicyVersion

PURPOSE = {"leftOperand": "purpose", "operator": "isAnyOf"}
CLAUSES = (
    {"id": "hr:1", "title": "Shoes", "text": "Take them off."},
    {"id": "hr:2", "title": "Kindness", "text": "Cheat nobody."},
)


def first_version() -> PolicyVersion:
    """The first version of the code that ships, alone."""
    return services.publish_version(services.SHIPPED / queries.DEFAULT_POLICY, "1.0")


def house_rules(number: str, after: PolicyVersion | None, **changes: object) -> dict[str, Any]:
    """A policy that forbids fraud."""
    return {
        "@context": [
            "http://www.w3.org/ns/odrl.jsonld",
            {"assay": "https://assay/conduct-policy/v2#"},
        ],
        "@type": "Set",
        "uid": f"https://assay/conduct-policy/v2/house-rules/{number}",
        "profile": "https://assay/conduct-policy/v2",
        "id": "house-rules",
        "version": number,
        "title": "House rules",
        "severity": "minor",
        "effective_at": "2026-11-21T00:00:00Z",
        "supersedes": after and {"version": after.version, "sha256": after.sha256},
        "licence": None,
        "clauses": list(CLAUSES),
        "permission": [],
        "prohibition": [forbids("use", "assay:fraud")],
        "obligation": [],
        **changes,
    }


def forbids(action: str, *aims: str) -> dict[str, object]:
    rule: dict[str, object] = {"assay:clause": "hr:2", "action": action}
    return {**rule, "constraint": [{**PURPOSE, "rightOperand": list(aims)}]} if aims else rule


def publish(folder: Path, document: Mapping[str, Any]) -> PolicyVersion:
    number = document["version"]
    (folder / f"{number}.json").write_text(json.dumps(document))
    clauses = (f"**{one['id']} {one['title']}.** {one['text']}" for one in document["clauses"])
    (folder / f"{number}.md").write_text("# House rules\n\n" + "\n\n".join(clauses) + "\n")
    return services.publish_version(folder, number)


def replacing(folder: Path, number: str, *, after: str = "1.0", **changes: object) -> PolicyVersion:
    """The code that ships, in a version that follows its first one, or another."""
    shipped = services.SHIPPED / queries.DEFAULT_POLICY
    before = queries.version(queries.DEFAULT_POLICY, after)
    document = json.loads((shipped / "1.1.json").read_text())
    document |= {
        "version": number,
        "uid": document["uid"].replace("/1.1", f"/{number}"),
        "supersedes": {"version": before.version, "sha256": before.sha256},
        **changes,
    }
    (folder / f"{number}.json").write_text(json.dumps(document))
    (folder / f"{number}.md").write_text((shipped / "1.1.md").read_text())
    return services.publish_version(folder, number)
