from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline, AddJSONIndexOnline


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('leads', '0021_score_learning'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('assigned_to__isnull', True), ('merged_into__isnull', True)), fields=['agency', '-id'], name='lead_unassigned'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('priority', ''), _negated=True), fields=['agency', 'priority', '-id'], name='lead_by_priority'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('form', ''), _negated=True), fields=['agency', 'form', '-id'], name='lead_by_form'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('lead_type', ''), _negated=True), fields=['agency', 'lead_type', '-id'], name='lead_by_type'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('is_test', True)), fields=['agency', '-id'], name='lead_that_is_test'),
        ),
        AddJSONIndexOnline('lead', 'tags', 'lead_by_tag'),
    ]
