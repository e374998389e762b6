import accounts.core.encrypted_fields
import accounts.core.ids
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import functools
from django.conf import settings
from django.db import migrations, models
from accounts.core.table_creation import CreateTables


class Migration(migrations.Migration):

    replaces = [
        ('notifications', '0001_initial'),
        ('notifications', '0002_headers_and_last_error'),
        ('notifications', '0003_stuck_deliveries'),
        ('notifications', '0004_stored_sentences'),
        ('notifications', '0005_channel_conditions'),
    ]

    initial = True

    dependencies = [
        ('accounts', '0003_preference'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name='Channel',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('chn',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('email', 'e-mail'), ('webhook', 'webhook'), ('slack', 'Slack')], max_length=16)),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('email', models.CharField(blank=True, max_length=254)),
                        ('url', accounts.core.encrypted_fields.EncryptedJSONField(blank=True, default='', help_text='May carry a token: kept encrypted.')),
                        ('event_types', models.JSONField(blank=True, default=list)),
                        ('locations', models.JSONField(blank=True, default=list)),
                        ('lead_statuses', models.JSONField(blank=True, default=list, help_text='Changes to these statuses; empty: all.')),
                        ('creation_locales', models.JSONField(blank=True, default=list, help_text='Of leads, only those of forms in these languages; empty: all.')),
                        ('test_events', models.BooleanField(default=False, help_text='Also what happens to test leads.')),
                        ('status', models.CharField(choices=[('enabled', 'enabled'), ('disabled', 'disabled'), ('unverified', 'waiting for confirmation')], default='enabled', max_length=16)),
                        ('disabled_reason', models.CharField(blank=True, max_length=300)),
                        ('mode', models.CharField(choices=[('instant', 'at once'), ('hourly', 'once an hour'), ('daily', 'once a day')], default='instant', max_length=8)),
                        ('digest_at', models.CharField(default='08:00', help_text='Daily summaries, as on a clock there.', max_length=5)),
                        ('quiet_hours', models.JSONField(blank=True, help_text='`start` and `end`, as on a clock there.', null=True)),
                        ('working_days', models.JSONField(blank=True, default=list)),
                        ('timezone', models.CharField(blank=True, help_text="Empty: the agency's.", max_length=64)),
                        ('conflation_seconds', models.PositiveSmallIntegerField(default=60, help_text='Changes of one lead within this time are one message.')),
                        ('urgent_event_types', models.JSONField(blank=True, default=list, help_text='These wait for nothing.')),
                        ('headers', accounts.core.encrypted_fields.EncryptedJSONField(blank=True, default=dict)),
                        ('rate_per_second', models.FloatField(blank=True, null=True)),
                        ('verification_token', models.CharField(default=accounts.core.ids.new_token, editable=False, max_length=64, unique=True)),
                        ('unsubscribe_token', models.CharField(default=accounts.core.ids.new_token, editable=False, max_length=64, unique=True)),
                        ('consecutive_failures', models.PositiveIntegerField(default=0, editable=False)),
                        ('failing_since', models.DateTimeField(editable=False, null=True)),
                        ('throttled_until', models.DateTimeField(editable=False, help_text='Its rate allows the next one then.', null=True)),
                        ('circuit_open_until', models.DateTimeField(editable=False, help_text='After many failures in a row.', null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='channels', to='accounts.agency')),
                        ('last_error', models.CharField(blank=True, db_default='', default='', editable=False, max_length=500)),
                        ('last_excerpt', models.CharField(blank=True, db_default='', default='', editable=False, max_length=160)),
                        ('last_status_code', models.PositiveSmallIntegerField(editable=False, null=True)),
                        ('disabled_reason_sentence', models.JSONField(editable=False, null=True)),
                        ('last_error_sentence', models.JSONField(editable=False, null=True)),
                        ('conditions', models.JSONField(blank=True, db_default={}, default=dict, help_text='Of leads, only those that fulfil them: `leads.conditions`.')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['agency', '-id'], name='channel_newest'), models.Index(django.db.models.functions.text.Upper('email'), name='channel_by_email')],
                    },
                ),
                migrations.CreateModel(
                    name='ChannelSecret',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('secret', accounts.core.encrypted_fields.EncryptedJSONField()),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('expires_at', models.DateTimeField(blank=True, null=True)),
                        ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='notifications.channel')),
                    ],
                ),
                migrations.CreateModel(
                    name='Delivery',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('dlv',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('recipient', models.CharField(blank=True, max_length=254)),
                        ('status', models.CharField(choices=[('pending', 'on its way'), ('delivered', 'delivered'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='pending', max_length=12)),
                        ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Counted before each try, so a crash counts too.')),
                        ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, null=True)),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('error', models.CharField(blank=True, help_text='Why it failed last, or was cancelled.', max_length=500)),
                        ('urgent', models.BooleanField(default=False, help_text='Waits for no digest and no quiet hours.')),
                        ('hold', models.CharField(blank=True, choices=[('alert', 'waits a minute: accounts that drop together are told of together'), ('conflation', 'waits a moment for more about the same lead'), ('digest', 'waits for the next summary'), ('quiet_hours', 'waits for the end of the quiet hours'), ('flapping', 'waits until the account has settled'), ('rate', 'waits its turn: the channel takes only so many a second'), ('recipient', 'waits: its address has got many mails within the hour'), ('rest', 'waits because ten tries in a row failed: one at a time looks whether the receiver is back')], max_length=12)),
                        ('batch', models.CharField(blank=True, editable=False, max_length=100)),
                        ('delivered_at', models.DateTimeField(blank=True, null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='accounts.agency')),
                        ('carrier', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='carried', to='notifications.delivery')),
                        ('channel', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notifications.channel')),
                        ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='accounts.event')),
                        ('error_sentence', models.JSONField(editable=False, help_text='The error by code and values.', null=True)),
                    ],
                    options={
                        'verbose_name_plural': 'deliveries',
                        'indexes': [models.Index(fields=['agency', '-id'], name='delivery_newest'), models.Index(fields=['channel', '-id'], name='delivery_by_channel'), models.Index(condition=models.Q(('status', 'delivered'), _negated=True), fields=['agency', 'status', '-id'], name='delivery_not_delivered'), models.Index(django.db.models.functions.text.Upper('recipient'), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('channel__isnull', True)), name='delivery_by_recipient'), models.Index(condition=models.Q(('status', 'pending')), fields=['next_attempt_at'], name='delivery_due'), models.Index(condition=models.Q(('status', 'pending'), models.Q(('batch', ''), _negated=True)), fields=['next_attempt_at'], name='delivery_to_batch'), models.Index(condition=models.Q(('status', 'pending'), models.Q(('batch', ''), _negated=True)), fields=['channel', 'batch'], name='delivery_waiting'), models.Index(condition=models.Q(('carrier__isnull', False)), fields=['carrier'], name='delivery_carried'), models.Index(condition=models.Q(('status', 'failed')), fields=['-id'], name='delivery_needs_a_person'), models.Index(condition=models.Q(('status', 'pending'), models.Q(('hold', 'rest'), models.Q(('error', ''), _negated=True), _connector='OR')), fields=['channel', 'next_attempt_at'], name='delivery_stuck_by_channel'), models.Index(condition=models.Q(('status', 'pending'), models.Q(('hold', 'rest'), models.Q(('error', ''), _negated=True), _connector='OR')), fields=['agency', 'hold', '-id'], name='delivery_stuck_by_hold')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('channel__isnull', False)), fields=('event', 'channel'), name='delivery_once_per_channel'), models.UniqueConstraint(condition=models.Q(('channel__isnull', True)), fields=('event', 'recipient'), name='delivery_once_per_recipient')],
                    },
                ),
                migrations.CreateModel(
                    name='Attempt',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField()),
                        ('duration_ms', models.PositiveIntegerField()),
                        ('status_code', models.PositiveSmallIntegerField(null=True)),
                        ('error', models.CharField(blank=True, max_length=500)),
                        ('response_excerpt', models.TextField(blank=True)),
                        ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempt_log', to='notifications.delivery')),
                        ('request_headers', models.JSONField(blank=True, null=True)),
                        ('response_headers', models.JSONField(blank=True, null=True)),
                        ('error_sentence', models.JSONField(blank=True, null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='StaffAlerts',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('by_email', models.BooleanField(default=False, verbose_name='by e-mail')),
                        ('by_slack', models.BooleanField(default=False, verbose_name='by Slack')),
                        ('slack_url', accounts.core.encrypted_fields.EncryptedJSONField(blank=True, default='', help_text='An incoming webhook: kept encrypted.')),
                        ('has_own_slack', models.BooleanField(default=False, editable=False)),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='staff_alerts', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name_plural': 'staff alerts',
                    },
                ),
            ],
        ),
    ]
