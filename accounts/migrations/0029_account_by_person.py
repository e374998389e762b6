from django.db import migrations, models

from accounts.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0028_search_text")]
    operations = [
        AddIndexOnline(
            "account",
            models.Index(
                fields=["agency", "linkedin_key"], name="account_by_person", condition=~models.Q(linkedin_key="")
            ),
        )
    ]
