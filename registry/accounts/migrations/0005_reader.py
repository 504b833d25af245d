# SPDX-License-Identifier: Apache-2.0
"""Organisations have readers: they see what is private, and publish nothing."""

from django.db import migrations, models

ROLES = [("owner", "Owner"), ("member", "Member"), ("reader", "Reader")]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_user_is_findable"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="membership", name="accounts_membership_role_is_known"
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(choices=ROLES, max_length=10),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "member", "reader"])),
                name="accounts_membership_role_is_known",
            ),
        ),
    ]
