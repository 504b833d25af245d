# SPDX-License-Identifier: Apache-2.0
"""Tokens for one project, in the name of who is no person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="holder",
            field=models.CharField(blank=True, default="", max_length=80),
        ),
        migrations.AddField(
            model_name="token",
            name="project",
            field=models.CharField(blank=True, default="", max_length=160),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("holder", ""), ("project", "")),
                    models.Q(
                        models.Q(("project", ""), _negated=True),
                        models.Q(("holder", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="accounts_token_of_a_project_has_a_holder",
            ),
        ),
    ]
