"""Fill the search texts of the leads that are there. It may be broken off and run again."""

from typing import Any

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.core.derived_fields import search_text

BATCH = 500


def fill(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    leads = apps.get_model("leads", "Lead").objects.using(schema_editor.connection.alias)
    last = ""
    while last is not None:
        with transaction.atomic(using=leads.db):
            rows = leads.filter(pk__gt=last, search_text="").select_for_update(no_key=True).order_by("pk")
            page = list(rows[:BATCH])
            for lead in page:
                names = (lead.name, f"{lead.first_name} {lead.last_name}", lead.email, lead.company)
                lead.search_text = search_text([*names, lead.linkedin_url, lead.linkedin_key])
            leads.bulk_update(page, ["search_text"])
        last = page[-1].pk if page else None


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each batch is a short transaction of its own, and an insert waits for none."
    dependencies = [("leads", "0017_search_text")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
