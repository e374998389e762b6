from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline, RemoveIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0028_templates'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(
                condition=models.Q(status__in=['REPLY_RECEIVED', 'OPPORTUNITY'], is_test=False)
                & (models.Q(last_response_at__isnull=True) | models.Q(last_response_at__lt=models.F('status_since')))
                & models.Q(merged_into__isnull=True),
                fields=['agency', 'status_since', 'id'],
                name='lead_unanswered',
            ),
        ),
        RemoveIndexOnline('lead', 'lead_awaiting_reply'),
    ]
