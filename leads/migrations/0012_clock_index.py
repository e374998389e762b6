from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0011_clocks'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(
                fields=['agency', 'response_due_at', 'id'],
                name='lead_by_response_due',
                condition=models.Q(response_due_at__isnull=False, merged_into__isnull=True),
            ),
        ),
    ]
