"""Compute the LinkedIn keys of the leads that are there by the rule of `accounts.linkedin_identity`.

Nothing is merged, deleted or moved, and URLs stay as they were given. Where two leads get one key the older has it, and
the younger none. It runs beside live traffic and may be broken off and run again.
"""

from typing import Any

from django.db import IntegrityError, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.linkedin_identity import linkedin_key

BATCH = 500


def compute_keys(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    leads = apps.get_model("leads", "Lead").objects.using(schema_editor.connection.alias)
    rows = leads.exclude(linkedin_url="", linkedin_key="").order_by("pk")
    last = ""
    while page := list(rows.filter(pk__gt=last).values_list("pk", "linkedin_url", "linkedin_key")[:BATCH]):
        last = page[-1][0]
        for pk, url, held in page:
            key = linkedin_key(url)
            if key != held:
                _give(leads.filter(pk=pk, linkedin_url=url), key)


def _give(lead: Any, key: str) -> None:
    try:
        with transaction.atomic(using=lead.db):
            lead.update(linkedin_key=key)
    except IntegrityError:  # another lead has it
        lead.update(linkedin_key="")


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each row that changes is a transaction of its own, and none waits for another."
    dependencies = [("leads", "0009_provider_names")]
    operations = [migrations.RunPython(compute_keys, migrations.RunPython.noop)]
