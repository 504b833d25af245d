# SPDX-License-Identifier: Apache-2.0
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outputs", "0005_batches")]

    operations = [
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "output",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="picture",
                        serialize=False,
                        to="outputs.output",
                    ),
                ),
                ("file", models.BinaryField()),
                ("number", models.BigIntegerField(null=True)),
                ("fingerprint", models.CharField(max_length=32)),
                (
                    "bands",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("number__isnull", False)),
                        fields=["number"],
                        name="outputs_picture_by_number",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["bands"], name="outputs_picture_by_bands"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("fingerprint__regex", "^[0-9a-f]{32}$")),
                        name="outputs_picture_has_fingerprint",
                    )
                ],
            },
        ),
    ]
