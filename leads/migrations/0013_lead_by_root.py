from django.db import migrations, models

from accounts.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("leads", "0012_merged_leads")]
    operations = [
        AddIndexOnline(
            "lead",
            models.Index(
                fields=["merged_into"], name="lead_by_root", condition=models.Q(merged_into__isnull=False)
            ),
        )
    ]
