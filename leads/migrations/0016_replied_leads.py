from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0015_routing_rules'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(
                fields=['agency', 'id'],
                name='lead_replied',
                condition=models.Q(
                    furthest_status__in=['REPLY_RECEIVED', 'OPPORTUNITY', 'MEETING_BOOKED'],
                    is_test=False,
                    merged_into__isnull=True,
                ),
            ),
        ),
    ]
