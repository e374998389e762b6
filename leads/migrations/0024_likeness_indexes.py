from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0023_duplicates'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('phone_e164', ''), _negated=True), fields=['agency', 'phone_e164'], name='lead_by_phone'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(models.Q(('company_key', ''), _negated=True), models.Q(('name_key', ''), _negated=True)), fields=['agency', 'company_key', 'name_key'], name='lead_by_company_and_name'),
        ),
    ]
