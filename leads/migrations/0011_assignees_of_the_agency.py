"""Take leads from people who are no members of the lead's agency (any more)."""

from typing import Any

from django.db import migrations
from django.db.models import Exists, OuterRef

BATCH = 500


def unassign(apps: Any, schema_editor: Any) -> None:
    leads = apps.get_model("leads", "Lead").objects
    members = apps.get_model("accounts", "Member").objects
    here = members.filter(agency=OuterRef("agency"), user=OuterRef("assigned_to"))
    wrong = leads.filter(~Exists(here), assigned_to__isnull=False).order_by("pk")
    while chunk := list(wrong.values_list("pk", flat=True)[:BATCH]):
        leads.filter(pk__in=chunk).update(assigned_to=None)


class Migration(migrations.Migration):
    atomic = False
    locking_is_safe = "Each batch is a transaction of its own, and its rows are those that staff assigned wrongly."
    dependencies = [("accounts", "0022_verified_email"), ("leads", "0010_linkedin_keys")]
    operations = [migrations.RunPython(unassign, migrations.RunPython.noop)]
