from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0009_score_indexes'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(
                fields=['agency', 'received_at'],
                name='lead_counted',
                include=['id', 'source', 'campaign', 'account', 'furthest_status'],
                condition=models.Q(is_test=False, merged_into__isnull=True),
            ),
        ),
    ]
