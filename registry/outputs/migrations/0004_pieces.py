# SPDX-License-Identifier: Apache-2.0
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outputs", "0003_marks")]

    operations = [
        migrations.AddField(
            model_name="output",
            name="pieces",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), default=list, size=None
            ),
        ),
        migrations.AddIndex(
            model_name="output",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["pieces"], name="outputs_by_pieces"
            ),
        ),
    ]
