from django.db import migrations, models

from accounts.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("webhooks", "0005_provider_names")]
    operations = [
        AddIndexOnline("receipt", models.Index(fields=["lead_id"], name="receipt_by_lead", condition=~models.Q(lead_id="")))
    ]
