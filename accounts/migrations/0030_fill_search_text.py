"""Fill the search texts and LinkedIn keys of the accounts that are there. It may be broken off and run again."""

from typing import Any

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.core.derived_fields import search_text
from accounts.linkedin_identity import public_identifier_key

BATCH = 500


def fill(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    accounts = apps.get_model("accounts", "Account").objects.using(schema_editor.connection.alias)
    last = ""
    while last is not None:
        with transaction.atomic(using=accounts.db):
            rows = accounts.filter(pk__gt=last, search_text="").select_for_update(no_key=True).order_by("pk")
            page = list(rows[:BATCH])
            for account in page:
                names = (account.name, f"{account.first_name} {account.last_name}", account.email)
                account.search_text = search_text([*names, account.public_identifier, account.external_id or ""])
                account.linkedin_key = public_identifier_key(account.public_identifier)
            accounts.bulk_update(page, ["search_text", "linkedin_key"])
        last = page[-1].pk if page else None


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each batch is a short transaction of its own, and an insert waits for none."
    dependencies = [("accounts", "0029_account_by_person")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
