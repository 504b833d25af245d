# SPDX-License-Identifier: Apache-2.0
"""Which intermediate issued a certificate: up to now a purpose had one, of its own name."""

from django.db import migrations, models

OF_THE_FIRST = "UPDATE authority_certificate SET issuer = purpose"


class Migration(migrations.Migration):
    dependencies = [("authority", "0002_revocations")]

    operations = [
        migrations.AddField(
            model_name="certificate",
            name="issuer",
            field=models.CharField(default="", max_length=20),
            preserve_default=False,
        ),
        migrations.RunSQL(OF_THE_FIRST, migrations.RunSQL.noop),
    ]
