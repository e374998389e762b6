from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline

SHOWN = models.Q(is_test=False, merged_into__isnull=True)


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0005_saved_filters'),
    ]

    operations = [
        AddIndexOnline(
            'lead', models.Index(fields=['agency', '-status_since', '-id'], name='lead_by_status_age')
        ),
        AddIndexOnline(
            'lead', models.Index(fields=['agency', '-received_at', '-id'], name='lead_by_receipt')
        ),
        AddIndexOnline(
            'lead',
            models.Index(
                fields=['agency', 'status_since', 'id'],
                name='lead_awaiting_reply',
                condition=models.Q(
                    is_test=False, merged_into__isnull=True, status__in=['REPLY_RECEIVED', 'OPPORTUNITY']
                ),
            ),
        ),
        AddIndexOnline(
            'lead',
            models.Index(fields=['agency', 'campaign', 'furthest_status'], name='lead_by_campaign', condition=SHOWN),
        ),
    ]
