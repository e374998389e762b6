import accounts.core.enums
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_preference'),
        ('webhooks', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='WordMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.PositiveIntegerField(default=0, help_text='Counted before each attempt, so a crash counts too.')),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, help_text='None: it has ended.', null=True)),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('error', models.CharField(blank=True, help_text='Why the last attempt failed, or what it waits for.', max_length=500)),
                ('kind', models.CharField(choices=accounts.core.enums.word_kind_choices, max_length=8)),
                ('word', models.CharField(help_text="The provider's word, exactly as it is sent.", max_length=200)),
                ('meaning', models.CharField(help_text='The word that Leadline reads instead.', max_length=100)),
                ('released', models.PositiveIntegerField(default=0, help_text='Receipts that left quarantine by it.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AlterField(
            model_name='receipt',
            name='correlation',
            field=models.CharField(blank=True, help_text="We-Link's request id; what a receipt in quarantine waits for.", max_length=200),
        ),
        migrations.AddField(
            model_name='wordmapping',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='word_mappings', to='accounts.source'),
        ),
        migrations.AddIndex(
            model_name='wordmapping',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='word_mapping_due'),
        ),
        migrations.AddConstraint(
            model_name='wordmapping',
            constraint=models.UniqueConstraint(fields=('source', 'kind', 'word'), name='word_mapping_once'),
        ),
    ]
