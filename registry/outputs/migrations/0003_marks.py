# SPDX-License-Identifier: Apache-2.0
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outputs", "0002_by_content")]

    operations = [
        migrations.AddField(model_name="output", name="mark", field=models.JSONField(null=True)),
    ]
