# SPDX-License-Identifier: Apache-2.0
"""What was published before clients asked for git's names of small files gets them now."""

from contextlib import suppress

from django.apps.registry import Apps
from django.db import migrations

from registry.storage import places
from registry.storage.git import MAX_BYTES, blob_oid


def identify(apps: Apps, _schema_editor: object) -> None:
    """A file that was lost keeps no name: that is the scrubber's to find, and not this one's."""
    place = places.primary()
    files, blobs = apps.get_model("catalog", "File"), apps.get_model("storage", "Blob")
    published = files.objects.filter(checkpoint__state="published", size__lte=MAX_BYTES)
    wanted = blobs.objects.filter(pk__in=published.values("sha256"), git_oid="")
    for sha256 in wanted.values_list("pk", flat=True).iterator():
        with suppress(FileNotFoundError), place.open(sha256) as content:
            blobs.objects.filter(pk=sha256).update(git_oid=blob_oid(content.read()))


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0005_history_of_what_was_published"),
        ("storage", "0004_blob_git_oid"),
    ]

    operations = [migrations.RunPython(identify, migrations.RunPython.noop)]
