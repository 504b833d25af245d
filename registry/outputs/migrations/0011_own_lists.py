# SPDX-License-Identifier: Apache-2.0
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outputs", "0010_pictures")]

    operations = [
        # Before the key's own index goes: somebody is always found.
        migrations.AddIndex(
            model_name="output",
            index=models.Index(fields=["caller", "created_at"], name="outputs_of_caller"),
        ),
        migrations.AlterField(
            model_name="output",
            name="caller",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.namespace",
            ),
        ),
    ]
