"""Write addresses in canonical form. Where that form is there already, the other spelling's row goes."""

from typing import Any

from django.db import migrations

from accounts.core.email_addresses import email_key

BATCH = 500


def rewrite(rows: Any, taken: Any = None) -> None:
    """Rewrite `email` of a query set of rows in batches. `taken` says which rows of a canonical form are in the way."""
    last: Any = None
    while chunk := list((rows if last is None else rows.filter(pk__gt=last)).order_by("pk")[:BATCH]):
        last = chunk[-1].pk
        for row in chunk:
            canonical = email_key(row.email)
            if canonical == row.email:
                continue
            if taken is not None and taken(row, canonical).exclude(pk=row.pk).exists():
                row.delete()
            else:
                rows.filter(pk=row.pk).update(email=canonical)


def rewrite_addresses(apps: Any, schema_editor: Any) -> None:
    bounced = apps.get_model("accounts", "BouncedAddress").objects
    invitations = apps.get_model("accounts", "Invitation").objects
    addresses = apps.get_model("account", "EmailAddress").objects
    rewrite(apps.get_model("auth", "User").objects.exclude(email=""))
    rewrite(bounced.all(), lambda row, email: bounced.filter(email=email))
    rewrite(
        invitations.filter(accepted_at__isnull=True),
        lambda row, email: invitations.filter(agency=row.agency_id, email=email, accepted_at__isnull=True),
    )
    rewrite(addresses.filter(verified=False), lambda row, email: addresses.filter(user=row.user_id, email=email))
    rewrite(addresses.filter(verified=True), lambda row, email: addresses.filter(email=email, verified=True))


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each row that changes is a transaction of its own, and no webhook writes these tables."
    dependencies = [("accounts", "0025_drop_noted_at")]
    operations = [migrations.RunPython(rewrite_addresses, migrations.RunPython.noop)]
