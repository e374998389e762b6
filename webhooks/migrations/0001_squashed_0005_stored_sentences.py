import accounts.core.enums
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from accounts.core.table_creation import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('webhooks', '0001_initial'),
        ('webhooks', '0002_word_mappings'),
        ('webhooks', '0003_receipt_indexes'),
        ('webhooks', '0004_rejected_tally'),
        ('webhooks', '0005_stored_sentences'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0003_preference'),
        ('leads', '0001_initial'),
    ]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name='SourceMonitor',
                    fields=[
                        ('source', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='monitor', serialize=False, to='accounts.source')),
                        ('checked_at', models.DateTimeField()),
                        ('heard_at', models.DateTimeField(help_text='The last receipt that was seen.', null=True)),
                        ('hour', models.DateTimeField(help_text='The hour being counted.', null=True)),
                        ('busy_minutes', models.PositiveSmallIntegerField(help_text='Minutes of it in which something came; null: it is not watched whole.', null=True)),
                        ('busy', models.JSONField(default=list, help_text='Mean busy minutes for each hour of the week.')),
                        ('weeks', models.JSONField(default=list, help_text='How many weeks each of these hours was watched.')),
                        ('surprise', models.FloatField(default=0.0, help_text='How surprising the quiet since the last receipt is.')),
                        ('most_natural', models.FloatField(default=0.0, help_text='The greatest that ended by itself.')),
                        ('refused_total', models.PositiveBigIntegerField(default=0)),
                        ('refused', models.PositiveBigIntegerField(default=0, help_text='Requests refused in the present run of them.')),
                        ('refused_at', models.DateTimeField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='LatencyTally',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('began_at', models.DateTimeField()),
                        ('requests', models.PositiveBigIntegerField(default=0)),
                        ('slow', models.PositiveBigIntegerField(default=0, help_text='Those that took over a second.')),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='latency_tallies', to='accounts.source')),
                        ('rejected', models.PositiveBigIntegerField(db_default=0, default=0, help_text='Requests that failed verification in this time.')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['began_at'], name='latency_tally_by_time')],
                        'constraints': [models.UniqueConstraint(fields=('source', 'began_at'), name='latency_tally_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ProviderRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('request_id', models.CharField(max_length=200)),
                        ('action', models.CharField(choices=[(accounts.core.enums.RequestAction['LOGIN'], 'login'), (accounts.core.enums.RequestAction['CONNECT'], 'connect'), (accounts.core.enums.RequestAction['MESSAGE'], 'message'), (accounts.core.enums.RequestAction['PROFILE'], 'profile'), (accounts.core.enums.RequestAction['SEARCH'], 'search')], max_length=16)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                        ('lead', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='leads.lead')),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='accounts.source')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('source', 'request_id'), name='provider_request_once_per_source')],
                    },
                ),
                migrations.CreateModel(
                    name='Receipt',
                    fields=[
                        ('sequence', models.BigAutoField(primary_key=True, serialize=False)),
                        ('provider', models.CharField(choices=accounts.core.enums.provider_choices, max_length=32)),
                        ('dedupe_key', models.BinaryField(help_text='SHA-256; random where every delivery is news.', max_length=32)),
                        ('headers', models.JSONField(default=dict)),
                        ('body', models.BinaryField()),
                        ('received_at', models.DateTimeField()),
                        ('status', models.CharField(choices=[('received', 'waiting'), ('processed', 'processed'), ('quarantined', 'in quarantine'), ('failed', 'failed')], default='received', max_length=12)),
                        ('event_type', models.CharField(blank=True, max_length=100)),
                        ('correlation', models.CharField(blank=True, help_text="We-Link's request id; what a receipt in quarantine waits for.", max_length=200)),
                        ('account_id', models.CharField(blank=True, help_text='The account it was about, once known.', max_length=40)),
                        ('lead_id', models.CharField(blank=True, help_text='The lead it was about, once known.', max_length=40)),
                        ('reason', models.CharField(blank=True, help_text='Why it is in quarantine: one machine-readable word.', max_length=64)),
                        ('error', models.CharField(blank=True, max_length=1000)),
                        ('attempts', models.PositiveSmallIntegerField(default=0)),
                        ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('processed_at', models.DateTimeField(blank=True, null=True)),
                        ('agency', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='accounts.agency')),
                        ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='receipts', to='accounts.source')),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('status', 'received')), fields=['source', 'sequence'], name='receipt_due'), models.Index(condition=models.Q(('status__in', ['quarantined', 'failed'])), fields=['status', '-sequence'], name='receipt_needs_a_person'), models.Index(fields=['agency', '-sequence'], name='receipt_newest'), models.Index(condition=models.Q(('correlation', ''), _negated=True), fields=['source', 'correlation'], name='receipt_by_correlation'), models.Index(condition=models.Q(('lead_id', ''), _negated=True), fields=['lead_id'], name='receipt_by_lead'), models.Index(condition=models.Q(('status__in', ['quarantined', 'failed'])), fields=['agency', '-sequence'], name='receipt_unrecognised'), models.Index(condition=models.Q(('account_id', ''), _negated=True), fields=['account_id', '-sequence'], name='receipt_by_account')],
                        'constraints': [models.UniqueConstraint(fields=('source', 'dedupe_key'), name='receipt_once_per_source')],
                    },
                ),
                migrations.CreateModel(
                    name='RejectedRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('reason', models.CharField(max_length=64)),
                        ('diagnosis', models.CharField(blank=True, max_length=1000)),
                        ('diagnosed_at', models.DateTimeField(editable=False, help_text='When the signature doctor found what would have matched.', null=True)),
                        ('count', models.PositiveBigIntegerField(default=0)),
                        ('first_seen', models.DateTimeField()),
                        ('last_seen', models.DateTimeField()),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rejected_requests', to='accounts.source')),
                        ('diagnosis_sentence', models.JSONField(editable=False, help_text='The diagnosis by codes and values.', null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('source', 'reason'), name='rejected_request_once_per_reason')],
                    },
                ),
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
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='word_mappings', to='accounts.source')),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='word_mapping_due')],
                        'constraints': [models.UniqueConstraint(fields=('source', 'kind', 'word'), name='word_mapping_once')],
                    },
                ),
            ],
        ),
    ]
