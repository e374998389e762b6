from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('notifications', '0002_headers_and_last_error'),
    ]

    operations = [
        AddIndexOnline(
            'delivery',
            models.Index(condition=models.Q(('status', 'pending'), models.Q(('hold', 'rest'), models.Q(('error', ''), _negated=True), _connector='OR')), fields=['channel', 'next_attempt_at'], name='delivery_stuck_by_channel'),
        ),
        AddIndexOnline(
            'delivery',
            models.Index(condition=models.Q(('status', 'pending'), models.Q(('hold', 'rest'), models.Q(('error', ''), _negated=True), _connector='OR')), fields=['agency', 'hold', '-id'], name='delivery_stuck_by_hold'),
        ),
    ]
