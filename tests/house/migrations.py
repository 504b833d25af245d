# SPDX-License-Identifier: Apache-2.0
"""Whether each app's migrations end in one, and make the tables that its models describe.

`./run lint` runs it. It asks no database: two branches that each bring a migration are both right,
and only their union, in which neither follows the other, cannot be started.
"""

import os
import sys

import django
from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState


def complaints() -> list[str]:
    """A line for each app that is not in order; none when all are."""
    loader = MigrationLoader(None)
    conflicts = loader.detect_conflicts()
    if conflicts:  # without one last state there is nothing to compare the models with
        return [
            f"{app}: expected one last migration, found {' and '.join(sorted(names))}"
            for app, names in sorted(conflicts.items())
        ]
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(
        graph=loader.graph
    )
    return [
        f"{app}: no migration says: {operation.describe()}"
        for app, migrations in sorted(changes.items())
        for migration in migrations
        for operation in migration.operations
    ]


def main() -> int:
    """Prints what is not in order; 0 when all is."""
    found = complaints()
    sys.stdout.writelines(f"{line}\n" for line in found)
    return min(len(found), 1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    django.setup()
    sys.exit(main())
