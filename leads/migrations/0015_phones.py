"""Take back the numbers to dial that were guessed from the language of a form or an agency.

The number that was given stays. It runs beside live traffic and may be broken off and run again.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from leads.pipeline.phones import e164

BATCH = 500


def compute_numbers(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    leads = apps.get_model("leads", "Lead").objects.using(schema_editor.connection.alias)
    rows = leads.exclude(phone_e164="").order_by("pk")
    last = ""
    while page := list(rows.filter(pk__gt=last).values_list("pk", "phone", "country", "phone_e164")[:BATCH]):
        last = page[-1][0]
        for pk, phone, country, held in page:
            number = e164(phone, country=country)
            if number != held:
                leads.filter(pk=pk, phone=phone).update(phone_e164=number)


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each row that changes is a transaction of its own, and none waits for another."
    dependencies = [("leads", "0014_refused_forms")]
    operations = [migrations.RunPython(compute_numbers, migrations.RunPython.noop)]
