# SPDX-License-Identifier: Apache-2.0
"""Tokens that sign outputs of some projects' checkpoints, and nothing else."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_suspension"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="projects",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=160), blank=True, default=list, size=None
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("projects", []),
                    models.Q(("project", ""), ("scopes", ["outputs"])),
                    _connector="OR",
                ),
                name="accounts_token_for_projects_signs_alone",
            ),
        ),
    ]
