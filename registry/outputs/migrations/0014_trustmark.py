# SPDX-License-Identifier: Apache-2.0
"""What TrustMark's networks wrote into a picture, by which its manifest is found for ever."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("outputs", "0013_lines")]

    operations = [
        migrations.AddField("picture", "trustmark", field=models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "picture",
            index=models.Index(
                name="outputs_picture_by_trustmark",
                fields=["trustmark"],
                condition=Q(trustmark__isnull=False),
            ),
        ),
    ]
