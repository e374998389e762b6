import accounts.core.encrypted_fields
import accounts.core.enums
import accounts.core.ids
import accounts.models.agency
import accounts.models.source
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.text
import django.utils.timezone
import functools
from django.conf import settings
from django.db import migrations, models
from accounts.core.table_creation import CreateTables


def begin_to_count(apps, schema_editor):
    """Let a run of retention be missed from now on, also where none ever ends."""
    apps.get_model('accounts', 'Heartbeat').objects.get_or_create(
        name='purge', defaults={'at': django.utils.timezone.now()}
    )


class Migration(migrations.Migration):

    replaces = [
        ('accounts', '0001_initial'),
        ('accounts', '0002_reaction'),
        ('accounts', '0003_preference'),
        ('accounts', '0004_preference_language'),
        ('accounts', '0005_auditentry'),
        ('accounts', '0006_brand'),
        ('accounts', '0007_view_portal'),
        ('accounts', '0008_calendars'),
        ('accounts', '0009_source_credentials_set_at'),
        ('accounts', '0010_sentences'),
        ('accounts', '0011_response_target'),
        ('accounts', '0012_member_availability'),
        ('accounts', '0013_event_channels'),
        ('accounts', '0014_stored_sentences'),
    ]

    initial = True

    dependencies = [
        ('admin', '0003_logentry_add_action_flag_choices'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateTables(
            models=[
                migrations.CreateModel(
                    name='Account',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('acc',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('provider', models.CharField(choices=accounts.core.enums.provider_choices, max_length=32)),
                        ('external_id', models.CharField(blank=True, max_length=200, null=True)),
                        ('folded_name', models.CharField(blank=True, editable=False, max_length=200)),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('email', models.CharField(blank=True, max_length=254)),
                        ('first_name', models.CharField(blank=True, max_length=200)),
                        ('last_name', models.CharField(blank=True, max_length=200)),
                        ('public_identifier', models.CharField(blank=True, max_length=200)),
                        ('linkedin_key', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('search_text', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('occupation', models.CharField(blank=True, max_length=500)),
                        ('premium', models.BooleanField(blank=True, null=True)),
                        ('status', models.CharField(choices=[(accounts.core.enums.AccountStatus['ACTIVE'], 'active'), (accounts.core.enums.AccountStatus['INCOMPLETE'], 'incomplete'), (accounts.core.enums.AccountStatus['DISCONNECTED'], 'disconnected'), (accounts.core.enums.AccountStatus['AUTH_ERROR'], 'auth error'), (accounts.core.enums.AccountStatus['BLOCKED'], 'blocked'), (accounts.core.enums.AccountStatus['DELETED'], 'deleted')], max_length=16)),
                        ('status_reason', models.CharField(blank=True, max_length=500)),
                        ('status_since', models.DateTimeField()),
                        ('rate_limited_until', models.DateTimeField(blank=True, null=True)),
                        ('reported_at', models.DateTimeField(editable=False, help_text='Time of the report the status rests on.', null=True)),
                        ('reported_sequence', models.BigIntegerField(default=0, editable=False)),
                        ('token_expires_at', models.DateTimeField(editable=False, null=True)),
                        ('refresh_expires_at', models.DateTimeField(editable=False, help_text='No refresh moves it.', null=True)),
                        ('last_heartbeat_at', models.DateTimeField(editable=False, help_text='When its token last proved good.', null=True)),
                        ('granted_scopes', models.JSONField(default=list, editable=False)),
                        ('warned_days', models.PositiveSmallIntegerField(editable=False, help_text='The last warning said that so many days are left.', null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='accounts', to='accounts.agency')),
                        ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='accounts', to='accounts.source')),
                        ('sub_account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='accounts', to='accounts.subaccount')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['agency', '-id'], name='account_newest'), models.Index(fields=['agency', 'status', '-id'], name='account_by_status'), models.Index(fields=['status', '-id'], name='account_everywhere_by_status'), models.Index(fields=['provider', '-id'], name='account_by_provider'), models.Index(fields=['status_since'], name='account_by_age'), models.Index(condition=models.Q(('linkedin_key', ''), _negated=True), fields=['agency', 'linkedin_key'], name='account_by_person')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('external_id__isnull', False)), fields=('agency', 'provider', 'external_id'), name='account_once_per_external_id'), models.UniqueConstraint(condition=models.Q(('external_id__isnull', True)), fields=('agency', 'provider', 'sub_account', 'folded_name'), name='account_once_per_location_and_name')],
                    },
                ),
                migrations.CreateModel(
                    name='Agency',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('agc',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=200)),
                        ('ghl_company_id', models.CharField(default=accounts.models.agency.new_company_id, max_length=100, unique=True, verbose_name='company id')),
                        ('search_text', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('timezone', models.CharField(default='UTC', max_length=64)),
                        ('locale', models.CharField(default='en-US', max_length=16)),
                        ('reauth_contact', models.CharField(choices=[('owner', 'owner'), ('team', 'team'), ('nobody', 'nobody')], default=accounts.core.enums.ReauthContact['OWNER'], help_text='Who gets the mail to reconnect an account when neither it nor its location has an address.', max_length=8, verbose_name='whom to ask')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('response_minutes', models.PositiveIntegerField(db_default=15, default=15, help_text='Minutes of working time in which a lead is to be answered, where no rule says otherwise.', verbose_name='response target')),
                    ],
                    options={
                        'verbose_name_plural': 'agencies',
                        'permissions': [('view_portal', 'Can view the portal as an agency')],
                    },
                ),
                migrations.CreateModel(
                    name='BouncedAddress',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('email', models.CharField(help_text='In canonical form.', max_length=254, unique=True)),
                        ('reason', models.CharField(max_length=300)),
                        ('complained', models.BooleanField(default=False, help_text='Its reader called our mail unwanted. No other mail lifts this.')),
                        ('at', models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        'verbose_name': 'address without mail',
                        'verbose_name_plural': 'addresses without mail',
                    },
                ),
                migrations.CreateModel(
                    name='Heartbeat',
                    fields=[
                        ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='RetentionRun',
                    fields=[
                        ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                        ('cutoff', models.DateTimeField(help_text='What is older than this goes.')),
                        ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('finished_at', models.DateTimeField(null=True)),
                        ('leased_until', models.DateTimeField(help_text='Until then nobody else goes on with it.', null=True)),
                        ('step', models.CharField(blank=True, max_length=40)),
                        ('position', models.CharField(blank=True, help_text='The key after which the step goes on.', max_length=100)),
                        ('erased', models.JSONField(default=dict, help_text='How much, by the place it was in.')),
                        ('failures', models.PositiveIntegerField(default=0)),
                        ('error', models.CharField(blank=True, help_text='What could not be erased last.', max_length=300)),
                    ],
                ),
                migrations.CreateModel(
                    name='AccountToken',
                    fields=[
                        ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='provider_token', serialize=False, to='accounts.account')),
                        ('token', accounts.core.encrypted_fields.EncryptedJSONField()),
                        ('created_at', models.DateTimeField(auto_now=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='ApiKey',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('key',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('name', models.CharField(blank=True, max_length=100)),
                        ('start', models.CharField(editable=False, help_text="The key's first characters, to recognise it by.", max_length=16)),
                        ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                        ('scopes', models.JSONField(default=list)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('expires_at', models.DateTimeField(blank=True, null=True)),
                        ('revoked_at', models.DateTimeField(blank=True, null=True)),
                        ('last_used_at', models.DateTimeField(editable=False, null=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to='accounts.agency')),
                    ],
                ),
                migrations.CreateModel(
                    name='Incident',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('inc',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('provider', models.CharField(blank=True, choices=accounts.core.enums.provider_choices, help_text='Empty: of several.', max_length=32)),
                        ('cause', models.CharField(choices=[('proxy', 'proxy'), ('provider', 'provider'), ('password', 'password'), ('unknown', 'not known yet')], default=accounts.core.enums.IncidentCause['UNKNOWN'], max_length=16, verbose_name='probable cause')),
                        ('opened_at', models.DateTimeField(help_text='When the first account dropped.')),
                        ('last_outage_at', models.DateTimeField(help_text='When the latest account dropped.')),
                        ('alerted_at', models.DateTimeField(blank=True, help_text='When staff was alerted.', null=True)),
                        ('closed_at', models.DateTimeField(blank=True, null=True)),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('agency', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='accounts.agency')),
                        ('part_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='parts', to='accounts.incident')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['agency', '-id'], name='incident_newest'), models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['-id'], name='incident_open')],
                    },
                ),
                migrations.CreateModel(
                    name='IncidentStep',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('text', models.CharField(max_length=300)),
                        ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='accounts.incident')),
                        ('sentence', models.JSONField(blank=True, editable=False, help_text='Its code and values.', null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['incident', '-id'], name='incident_step_newest')],
                    },
                ),
                migrations.CreateModel(
                    name='Invitation',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('inv',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('email', models.CharField(max_length=254)),
                        ('role', models.CharField(choices=[(accounts.core.enums.Role['OWNER'], 'owner'), (accounts.core.enums.Role['MANAGER'], 'manager'), (accounts.core.enums.Role['READ_ONLY'], 'read only')], max_length=16)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('sent_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('expires_at', models.DateTimeField(default=accounts.models.agency.invitation_end)),
                        ('accepted_at', models.DateTimeField(blank=True, null=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='accounts.agency')),
                        ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('accepted_at__isnull', True)), fields=('agency', 'email'), name='invitation_open_once_per_address')],
                    },
                ),
                migrations.CreateModel(
                    name='MailCount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(help_text='A keyed hash: it names no address.', max_length=64)),
                        ('hour', models.DateTimeField()),
                        ('count', models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['hour'], name='mail_count_by_age')],
                        'constraints': [models.UniqueConstraint(fields=('key', 'hour'), name='mail_count_once_per_hour')],
                    },
                ),
                migrations.CreateModel(
                    name='Member',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('mbr',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('role', models.CharField(choices=[(accounts.core.enums.Role['OWNER'], 'owner'), (accounts.core.enums.Role['MANAGER'], 'manager'), (accounts.core.enums.Role['READ_ONLY'], 'read only')], max_length=16)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='accounts.agency')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                        ('alerts', models.JSONField(blank=True, db_default={}, default=dict, help_text='What they are mailed: `accounts.tenancy.member_alerts`.')),
                        ('calendar', models.ForeignKey(blank=True, help_text='Working hours of their own; else those of their pool or the agency.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='members', to='accounts.calendar')),
                        ('paused_until', models.DateTimeField(blank=True, help_text='They get no new leads until then.', null=True)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('agency', 'user'), name='member_once_per_agency')],
                    },
                ),
                migrations.CreateModel(
                    name='Outage',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('provider', models.CharField(choices=accounts.core.enums.provider_choices, max_length=32)),
                        ('status', models.CharField(max_length=16)),
                        ('cause', models.CharField(choices=[('proxy', 'proxy'), ('provider', 'provider'), ('password', 'password'), ('unknown', 'not known yet')], max_length=16)),
                        ('expected', models.BooleanField(default=False, help_text="A person made it, or the account's owner was at it.")),
                        ('at', models.DateTimeField(default=django.utils.timezone.now, help_text="When it happened, by the provider's time.")),
                        ('noted_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When Leadline learned of it.')),
                        ('last_at', models.DateTimeField(default=django.utils.timezone.now, help_text='When it last happened again.')),
                        ('alerted_at', models.DateTimeField(blank=True, help_text='When staff was alerted.', null=True)),
                        ('back_at', models.DateTimeField(blank=True, null=True)),
                        ('pending', models.BooleanField(default=True, help_text='Staff may still be alerted of it, or it become part of an incident.')),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='outages', to='accounts.account')),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.agency')),
                        ('incident', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='outages', to='accounts.incident')),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('pending', True)), fields=['id'], name='outage_pending'), models.Index(fields=['provider', 'at'], name='outage_by_provider'), models.Index(fields=['incident', '-id'], name='outage_by_incident'), models.Index(fields=['account', '-id'], name='outage_by_account')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('back_at__isnull', True)), fields=('account',), name='one_open_outage_per_account')],
                    },
                ),
                migrations.CreateModel(
                    name='ReauthPrompt',
                    fields=[
                        ('attempts', models.PositiveIntegerField(default=0, help_text='Counted before each attempt, so a crash counts too.')),
                        ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, help_text='None: it has ended.', null=True)),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('error', models.CharField(blank=True, help_text='Why the last attempt failed, or what it waits for.', max_length=500)),
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('rap',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('token', accounts.core.encrypted_fields.EncryptedJSONField(editable=False)),
                        ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                        ('status', models.CharField(choices=[(accounts.core.enums.AccountStatus['ACTIVE'], 'active'), (accounts.core.enums.AccountStatus['INCOMPLETE'], 'incomplete'), (accounts.core.enums.AccountStatus['DISCONNECTED'], 'disconnected'), (accounts.core.enums.AccountStatus['AUTH_ERROR'], 'auth error'), (accounts.core.enums.AccountStatus['BLOCKED'], 'blocked'), (accounts.core.enums.AccountStatus['DELETED'], 'deleted')], help_text="The account's status when the prompt was opened.", max_length=16)),
                        ('opened_by', models.CharField(help_text='`system`, `api` or `staff`.', max_length=32)),
                        ('recipients', models.JSONField(blank=True, default=list, help_text='Addresses that get the mail and its reminders.')),
                        ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('expires_at', models.DateTimeField()),
                        ('viewed_at', models.DateTimeField(blank=True, help_text='When its page was last open.', null=True)),
                        ('closed_at', models.DateTimeField(blank=True, null=True)),
                        ('closed_as', models.CharField(blank=True, choices=[('done', 'done'), ('expired', 'expired'), ('revoked', 'revoked')], max_length=8)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prompts', to='accounts.account')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['account', '-id'], name='prompt_newest'), models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='prompt_reminder_due')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('account',), name='one_open_prompt_per_account')],
                    },
                ),
                migrations.CreateModel(
                    name='ReauthStep',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('opened', 'link made'), ('mailed', 'mail sent'), ('reminded', 'reminder sent'), ('viewed', 'page opened'), ('started', "provider's page opened"), ('submitted', 'sign-in handed to the provider'), ('finished', 'finished at the provider'), ('failed', 'did not work'), ('bounced', 'mail came back'), ('closed', 'closed')], max_length=12)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('recipient', models.CharField(blank=True, max_length=254)),
                        ('event_id', models.CharField(blank=True, help_text='The Event that carries a mail.', max_length=40)),
                        ('reference', models.CharField(blank=True, help_text="The provider's id of a request.", max_length=200)),
                        ('note', models.CharField(blank=True, max_length=300)),
                        ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='accounts.reauthprompt')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['prompt', '-id'], name='reauth_step_newest'), models.Index(condition=models.Q(('event_id', ''), _negated=True), fields=['event_id'], name='reauth_step_by_event')],
                    },
                ),
                migrations.CreateModel(
                    name='Sender',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('provider', models.CharField(choices=accounts.core.enums.provider_choices, max_length=32)),
                        ('external_id', models.CharField(max_length=200)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='senders', to='accounts.account')),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='senders', to='accounts.agency')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('agency', 'provider', 'external_id'), name='sender_once_per_external_id')],
                    },
                ),
                migrations.CreateModel(
                    name='Source',
                    fields=[
                        ('id', models.CharField(default=accounts.models.source.new_source_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('provider', models.CharField(choices=accounts.core.enums.provider_choices, max_length=32)),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('search_text', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('token', models.CharField(editable=False, help_text="The URL's last part: the id, until it is rotated.", max_length=64, unique=True)),
                        ('previous_token', models.CharField(blank=True, editable=False, max_length=64)),
                        ('previous_token_expires_at', models.DateTimeField(editable=False, null=True)),
                        ('enabled', models.BooleanField(default=True)),
                        ('allowed_networks', models.JSONField(blank=True, default=list, help_text='CIDRs it may be called from; empty: all.')),
                        ('credentials', accounts.core.encrypted_fields.EncryptedJSONField(blank=True, default=dict, help_text="The provider API's keys.")),
                        ('approved_frame_host', models.CharField(blank=True, help_text="Salesflow: the agency's own domain_host_name, once you know that it is Salesflow's. Owners of accounts type their LinkedIn password into its pages, which ours show; hosts under salesflow.io need no approval.", max_length=253, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9.-]+(:[0-9]{1,5})?\\Z', 'Enter a host such as app.example.com.')])),
                        ('update_frame_url', models.CharField(blank=True, help_text='Salesflow: the page that updates an account, for example https://{domain_host_name}/embedded/update/{token}. Ask Salesflow for yours: it is not documented.', max_length=300, validators=[django.core.validators.RegexValidator('\\Ahttps://\\{domain_host_name\\}/[A-Za-z0-9/_.?&=-]*\\{token\\}[A-Za-z0-9/_.?&=-]*\\Z', 'Enter an address such as https://{domain_host_name}/embedded/update/{token}.')])),
                        ('pin_endpoint', models.CharField(blank=True, help_text='We-Link: the API path that takes a sign-in code, for example /api/v1/login_pin. Ask We-Link for yours: it is not documented.', max_length=200, validators=[django.core.validators.RegexValidator('\\A(/[A-Za-z0-9_.-]+)+\\Z', 'Enter a path such as /api/v1/login_pin.')])),
                        ('proxy_location', models.CharField(default='US', help_text='We-Link: the country its sign-in goes through.', max_length=8)),
                        ('reauth_url', models.CharField(blank=True, help_text="Where an account's owner reconnects it, if Leadline cannot offer the provider's own step.", max_length=500, validators=[django.core.validators.RegexValidator('\\Ahttps://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?\\Z', 'Enter an https:// address.')])),
                        ('last_receipt_at', models.DateTimeField(editable=False, null=True)),
                        ('validated_at', models.DateTimeField(editable=False, help_text="LinkedIn's last challenge we answered.", null=True)),
                        ('drift', models.JSONField(default=dict, editable=False, help_text='Fields we do not know: path → how often seen.')),
                        ('gaps', models.PositiveIntegerField(default=0, editable=False, help_text='Changes whose previous status we missed.')),
                        ('removed_at', models.DateTimeField(editable=False, help_text='Gone for its agency; kept for its receipts.', null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('agency', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='accounts.agency')),
                        ('sub_account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sources', to='accounts.subaccount')),
                        ('credentials_set_at', models.JSONField(editable=False, help_text='Key → when it was set.', null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('previous_token', ''), _negated=True), fields=['previous_token'], name='source_by_previous_token')],
                    },
                ),
                migrations.CreateModel(
                    name='Campaign',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('cmp',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('provider', models.CharField(choices=accounts.core.enums.provider_choices, max_length=32)),
                        ('external_id', models.CharField(max_length=200)),
                        ('name', models.CharField(blank=True, max_length=300)),
                        ('search_text', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('status', models.CharField(choices=[(accounts.core.enums.CampaignStatus['ACTIVE'], 'active'), (accounts.core.enums.CampaignStatus['PAUSED'], 'paused'), (accounts.core.enums.CampaignStatus['FINISHED'], 'finished')], default=accounts.core.enums.CampaignStatus['ACTIVE'], max_length=16)),
                        ('paused_by', models.CharField(blank=True, choices=[(accounts.core.enums.PausedBy['SYSTEM'], 'system'), (accounts.core.enums.PausedBy['USER'], 'user'), (accounts.core.enums.PausedBy['API'], 'api'), (accounts.core.enums.PausedBy['PROVIDER'], 'provider')], max_length=16)),
                        ('pause_reason', models.CharField(blank=True, max_length=300)),
                        ('sender_id', models.CharField(blank=True, help_text='Who sends it, as the provider names them; an account once it is mapped.', max_length=200)),
                        ('reported_at', models.DateTimeField(editable=False, help_text='Time of the report the status rests on.', null=True)),
                        ('reported_sequence', models.BigIntegerField(default=0, editable=False)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='campaigns', to='accounts.account')),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='campaigns', to='accounts.agency')),
                        ('source', models.ForeignKey(blank=True, help_text='What last told of it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='campaigns', to='accounts.source')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['agency', '-id'], name='campaign_newest'), models.Index(condition=models.Q(('paused_by', 'system'), ('status', 'paused')), fields=['account'], name='campaign_held'), models.Index(condition=models.Q(('account__isnull', True), models.Q(('status', accounts.core.enums.CampaignStatus['FINISHED']), _negated=True)), fields=['-id'], name='campaign_unprotected'), models.Index(condition=models.Q(('sender_id', ''), _negated=True), fields=['agency', 'sender_id'], name='campaign_by_sender')],
                        'constraints': [models.UniqueConstraint(fields=('agency', 'provider', 'external_id'), name='campaign_once_per_external_id')],
                    },
                ),
                migrations.CreateModel(
                    name='SourceIssue',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=accounts.core.enums.issue_choices, max_length=16)),
                        ('level', models.PositiveSmallIntegerField(default=0, help_text="LinkedIn's checks that were missed.")),
                        ('detail', models.CharField(blank=True, max_length=500)),
                        ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('closed_at', models.DateTimeField(blank=True, null=True)),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='issues', to='accounts.source')),
                        ('sentence', models.JSONField(blank=True, editable=False, help_text='Its code and values.', null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['source', '-id'], name='source_issue_newest'), models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['-id'], name='source_issue_open')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('source', 'kind'), name='source_issue_open_once_per_kind')],
                    },
                ),
                migrations.CreateModel(
                    name='SourceSecret',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('secret', accounts.core.encrypted_fields.EncryptedJSONField()),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('expires_at', models.DateTimeField(blank=True, null=True)),
                        ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='accounts.source')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='SubAccount',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('sub',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('location_id', models.CharField(max_length=100)),
                        ('name', models.CharField(blank=True, max_length=200)),
                        ('search_text', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('installed', models.BooleanField(default=False)),
                        ('installed_at', models.DateTimeField(blank=True, null=True)),
                        ('installer_name', models.CharField(blank=True, max_length=200)),
                        ('installer_email', models.CharField(blank=True, max_length=254)),
                        ('ghl_user_id', models.CharField(blank=True, max_length=100)),
                        ('uninstalled_at', models.DateTimeField(blank=True, null=True)),
                        ('vouched_for', models.BooleanField(default=False, editable=False, help_text='HighLevel itself named the location together with its company.')),
                        ('reported_at', models.DateTimeField(editable=False, help_text='Time of the report `installed` rests on.', null=True)),
                        ('reported_sequence', models.BigIntegerField(default=0, editable=False)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sub_accounts', to='accounts.agency')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['location_id'], name='sub_account_by_location')],
                        'constraints': [models.UniqueConstraint(fields=('agency', 'location_id'), name='sub_account_once_per_agency')],
                    },
                ),
                migrations.CreateModel(
                    name='AccountReport',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('from_status', models.CharField(blank=True, help_text='Empty: first seen.', max_length=16)),
                        ('to_status', models.CharField(max_length=16)),
                        ('occurred_at', models.DateTimeField()),
                        ('reported_by', models.CharField(help_text="The provider's slug, `api` or `staff`.", max_length=32)),
                        ('receipt_id', models.CharField(blank=True, max_length=40)),
                        ('applied', models.BooleanField()),
                        ('note', models.CharField(blank=True, max_length=500)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='accounts.account')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['account', '-id'], name='account_report_newest')],
                    },
                ),
                migrations.CreateModel(
                    name='AccountLink',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('state', models.CharField(choices=[('proposed', 'to be decided'), ('accepted', 'the same person'), ('declined', 'not the same person')], default='proposed', max_length=8)),
                        ('decided_at', models.DateTimeField(blank=True, null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                        ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='account_links', to='accounts.agency')),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('state', 'proposed')), fields=['-id'], name='account_link_open')],
                        'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='account_link_once')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignCommand',
                    fields=[
                        ('attempts', models.PositiveIntegerField(default=0, help_text='Counted before each attempt, so a crash counts too.')),
                        ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, help_text='None: it has ended.', null=True)),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('error', models.CharField(blank=True, help_text='Why the last attempt failed, or what it waits for.', max_length=500)),
                        ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='command', serialize=False, to='accounts.campaign')),
                        ('action', models.CharField(choices=[('pause', 'pause'), ('resume', 'resume')], max_length=8)),
                        ('status', models.CharField(choices=[('pending', 'on its way'), ('done', 'done'), ('failed', 'failed'), ('cancelled', 'overtaken')], default='pending', max_length=12)),
                        ('issued_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('done_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='campaign_command_due'), models.Index(condition=models.Q(('status', 'failed')), fields=['-campaign'], name='campaign_command_failed')],
                    },
                ),
                migrations.CreateModel(
                    name='CampaignCall',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('action', models.CharField(choices=[('pause', 'pause'), ('resume', 'resume')], max_length=8)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('error', models.CharField(blank=True, max_length=300)),
                        ('echoed_at', models.DateTimeField(blank=True, null=True)),
                        ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='accounts.campaign')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['campaign', '-id'], name='campaign_call_newest')],
                    },
                ),
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('evt',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('event_type', models.CharField(choices=accounts.core.enums.event_type_choices, max_length=40)),
                        ('payload', models.JSONField()),
                        ('subject', models.CharField(blank=True, help_text='Id of the account, lead, campaign, … it is about.', max_length=40)),
                        ('location_id', models.CharField(blank=True, help_text='For channels that listen to some locations.', max_length=100)),
                        ('receipt_id', models.CharField(blank=True, max_length=40)),
                        ('channel_id', models.CharField(blank=True, help_text='Only for this channel; empty: all that listen.', max_length=40)),
                        ('recipient', models.CharField(blank=True, help_text='Only for this address.', max_length=254)),
                        ('is_test', models.BooleanField(default=False, help_text='About a test lead: for channels that ask for those.')),
                        ('creation_locale', models.CharField(blank=True, help_text="Of the lead's form: for channels that listen to some languages.", max_length=16)),
                        ('occurred_at', models.DateTimeField()),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('fanned_out_at', models.DateTimeField(editable=False, null=True)),
                        ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                        ('error', models.CharField(blank=True, editable=False, max_length=500)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='accounts.agency')),
                        ('also_for', models.JSONField(editable=False, help_text='Ids of channels that get it too, whatever they listen to.', null=True)),
                        ('detail_sentence', models.JSONField(editable=False, help_text="The body's `error_detail` by codes and values.", null=True)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['agency', '-id'], name='event_newest'), models.Index(fields=['agency', 'event_type', '-id'], name='event_by_type'), models.Index(fields=['subject', '-id'], name='event_by_subject'), models.Index(condition=models.Q(('fanned_out_at__isnull', True)), fields=['next_attempt_at'], name='event_due')],
                    },
                ),
                migrations.CreateModel(
                    name='IdempotencyRecord',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(max_length=255)),
                        ('fingerprint', models.CharField(help_text='SHA-256 of method, path and body.', max_length=64)),
                        ('status_code', models.PositiveSmallIntegerField(null=True)),
                        ('body', models.JSONField(null=True)),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.agency')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['created_at'], name='idempotency_by_age'), models.Index(django.db.models.functions.text.Lower(django.db.models.fields.json.KeyTextTransform('subject', 'body')), name='idempotency_by_subject')],
                        'constraints': [models.UniqueConstraint(fields=('agency', 'key'), name='idempotency_key_once_per_agency')],
                    },
                ),
                migrations.CreateModel(
                    name='Reaction',
                    fields=[
                        ('attempts', models.PositiveIntegerField(default=0, help_text='Counted before each attempt, so a crash counts too.')),
                        ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, help_text='None: it has ended.', null=True)),
                        ('leased_until', models.DateTimeField(editable=False, null=True)),
                        ('error', models.CharField(blank=True, help_text='Why the last attempt failed, or what it waits for.', max_length=500)),
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('subscriber', models.CharField(max_length=40)),
                        ('subject', models.CharField(max_length=40)),
                        ('facts', models.JSONField(default=dict, help_text="What the event's body does not say.")),
                        ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('event', models.ForeignKey(help_text='None: agencies heard of none.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reactions', to='accounts.event')),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at', 'id'], name='reaction_due'), models.Index(fields=['subscriber', 'subject', 'id'], name='reaction_by_subject')],
                    },
                ),
                migrations.CreateModel(
                    name='Preference',
                    fields=[
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='preference', serialize=False, to=settings.AUTH_USER_MODEL)),
                        ('theme', models.CharField(choices=[('system', 'System'), ('light', 'Light'), ('dark', 'Dark')], default='system', max_length=10)),
                        ('language', models.CharField(blank=True, db_default='', default='', max_length=10)),
                    ],
                ),
                migrations.CreateModel(
                    name='AuditEntry',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('at', models.DateTimeField(default=django.utils.timezone.now)),
                        ('actor_kind', models.CharField(choices=[('member', 'member'), ('staff', 'staff'), ('key', 'API key')], max_length=8)),
                        ('action', models.CharField(max_length=100)),
                        ('detail', models.CharField(blank=True, max_length=300)),
                        ('object_type', models.CharField(blank=True, help_text='The name of a model.', max_length=32)),
                        ('object_id', models.CharField(blank=True, max_length=40)),
                        ('object_label', models.CharField(blank=True, help_text='What it was called then.', max_length=200)),
                        ('agency', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='audit_entries', to='accounts.agency')),
                        ('api_key', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.apikey')),
                        ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'verbose_name_plural': 'audit entries',
                        'indexes': [models.Index(fields=['agency', '-id'], name='audit_newest'), models.Index(fields=['at'], name='audit_by_age')],
                    },
                ),
                migrations.CreateModel(
                    name='Brand',
                    fields=[
                        ('agency', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='brand', serialize=False, to='accounts.agency')),
                        ('sender_name', models.CharField(blank=True, help_text='Who mails come from. Empty: by its own name.', max_length=60)),
                        ('colour', models.CharField(blank=True, help_text="Of buttons, such as #0b5f5a. Empty: Leadline's.", max_length=7)),
                        ('logo_digest', models.CharField(blank=True, editable=False, help_text='SHA-256. Empty: no logo.', max_length=64)),
                        ('logo_width', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('logo_height', models.PositiveSmallIntegerField(default=0, editable=False)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                    ],
                ),
                migrations.CreateModel(
                    name='BrandLogo',
                    fields=[
                        ('brand', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='logo', serialize=False, to='accounts.brand')),
                        ('digest', models.CharField(db_index=True, max_length=64)),
                        ('content_type', models.CharField(max_length=20)),
                        ('content', models.BinaryField()),
                    ],
                ),
                migrations.CreateModel(
                    name='Calendar',
                    fields=[
                        ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('cal',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                        ('name', models.CharField(max_length=120)),
                        ('timezone', models.CharField(max_length=64)),
                        ('week', models.JSONField(default=dict)),
                        ('always_open', models.BooleanField(default=False)),
                        ('is_default', models.BooleanField(default=False)),
                        ('version', models.PositiveIntegerField(default=1, help_text='How often the hours were saved.')),
                        ('created_at', models.DateTimeField(auto_now_add=True)),
                        ('updated_at', models.DateTimeField(auto_now=True)),
                        ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calendars', to='accounts.agency')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('agency', 'name'), name='calendar_name_once_per_agency'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('agency',), name='calendar_one_default')],
                    },
                ),
                migrations.CreateModel(
                    name='CalendarException',
                    fields=[
                        ('id', models.BigAutoField(primary_key=True, serialize=False)),
                        ('name', models.CharField(blank=True, max_length=120)),
                        ('first', models.DateField()),
                        ('last', models.DateField()),
                        ('working', models.BooleanField(default=False)),
                        ('blocks', models.JSONField(blank=True, default=list)),
                        ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exceptions', to='accounts.calendar')),
                    ],
                    options={
                        'ordering': ['first', 'id'],
                    },
                ),
            ],
        ),
        # An account's timeline asks for what staff did to it; Django keeps that without an index.
        migrations.RunSQL(
            'CREATE INDEX admin_log_by_object ON django_admin_log (object_id)', 'DROP INDEX admin_log_by_object'
        ),
        migrations.RunPython(begin_to_count, migrations.RunPython.noop),
    ]
