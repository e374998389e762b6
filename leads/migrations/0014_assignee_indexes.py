from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False  # and nothing but online operations, so that it can be applied again

    dependencies = [
        ('leads', '0013_routing'),
    ]

    operations = [
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('assigned_to__isnull', False), ('merged_into__isnull', True)), fields=['agency', 'assigned_to', '-id'], name='lead_by_assignee'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('assigned_to__isnull', False), ('is_test', False), ('merged_into__isnull', True), models.Q(('status__in', ['NOT_INTERESTED', 'DONE']), _negated=True)), fields=['assigned_to', 'agency'], name='lead_open_by_assignee'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('assigned_to__isnull', False), models.Q(('company_key', ''), _negated=True)), fields=['agency', 'company_key', '-received_at'], name='lead_owner_by_company'),
        ),
        AddIndexOnline(
            'lead',
            models.Index(condition=models.Q(('assigned_to__isnull', False), ('is_free_mail', False)), fields=['agency', 'domain', '-received_at'], name='lead_owner_by_domain'),
        ),
    ]
