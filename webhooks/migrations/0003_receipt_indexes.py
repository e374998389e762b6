from django.db import migrations, models

from accounts.core.online_migrations import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False
    dependencies = [('webhooks', '0002_word_mappings')]
    operations = [
        AddIndexOnline('receipt', models.Index(condition=models.Q(('status__in', ['quarantined', 'failed'])), fields=['agency', '-sequence'], name='receipt_unrecognised')),
        AddIndexOnline('receipt', models.Index(condition=models.Q(('account_id', ''), _negated=True), fields=['account_id', '-sequence'], name='receipt_by_account')),
    ]
