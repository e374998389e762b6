from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0006_list_indexes'),
    ]

    operations = [
        AddIndexOnline(
            'leadchange',
            models.Index(
                fields=['new_status', 'occurred_at'],
                name='lead_change_by_outcome',
                include=['lead', 'previous_status'],
                condition=models.Q(
                    applied=True, is_report=True, new_status__in=['REPLY_RECEIVED', 'OPPORTUNITY', 'MEETING_BOOKED']
                ),
            ),
        ),
    ]
