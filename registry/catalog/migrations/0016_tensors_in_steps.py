# SPDX-License-Identifier: Apache-2.0
"""Lists of tensors become whole in steps, and are kept as the lines that are served."""

import json

from django.apps.registry import Apps as StateApps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

AT_ONCE = 100  # some of them are 15 MB
FILE = "\x01"


def lines(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Rows of [name, type, shape, digest] become canonical lines, the file's name left out."""
    rows = apps.get_model("catalog", "TensorDigests").objects
    for row in rows.order_by("pk").iterator(chunk_size=AT_ONCE):
        row.listed = "".join(_line(*each) for each in json.loads(row.listed))
        row.save(update_fields=["listed"])


def rows(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """The way back; what is not whole is nothing to older versions."""
    kept = apps.get_model("catalog", "TensorDigests").objects
    kept.filter(is_whole=False).delete()
    for row in kept.order_by("pk").iterator(chunk_size=AT_ONCE):
        each = (json.loads(line.replace(FILE, '""')) for line in row.listed.splitlines())
        found = [[one["name"], one["dtype"], one["shape"], one["sha256"]] for one in each]
        row.listed = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        row.save(update_fields=["listed"])


def _line(name: str, dtype: str, shape: list[int], sha256: str) -> str:
    said, kind = (json.dumps(text, ensure_ascii=False) for text in (name, dtype))
    sizes = ",".join(str(size) for size in shape)
    return f'{{"dtype":{kind},"file":{FILE},"name":{said},"sha256":"{sha256}","shape":[{sizes}]}}\n'


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0015_taken_down"),
    ]

    operations = [
        migrations.AddField(
            model_name="tensordigests",
            name="is_whole",
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name="tensordigests",
            name="is_whole",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="tensordigests",
            name="count",
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="tensordigests",
            name="proofs",
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="tensordigests",
            name="listed",
            field=models.TextField(blank=True),
        ),
        migrations.RunPython(lines, rows),
    ]
