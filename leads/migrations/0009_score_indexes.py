from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0008_rules_and_scores'),
    ]

    operations = [
        AddIndexOnline('lead', models.Index(fields=['agency', 'grade', '-id'], name='lead_by_grade')),
        AddIndexOnline('lead', models.Index(fields=['agency', '-score', '-id'], name='lead_by_score')),
    ]
