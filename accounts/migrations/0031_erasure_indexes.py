from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from accounts.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0030_fill_search_text")]
    operations = [AddIndexOnline("idempotencyrecord", models.Index(Lower(KT("body__subject")), name="idempotency_by_subject"))]
