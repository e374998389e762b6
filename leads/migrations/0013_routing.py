import accounts.core.ids
import django.db.models.deletion
import django.utils.timezone
import functools
import leads.enums
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_member_availability'),
        ('leads', '0012_clock_index'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('first_pool', models.CharField(blank=True, help_text='Id of the pool that was to deal it.', max_length=40)),
                ('rule', models.CharField(blank=True, help_text='Id of the routing rule.', max_length=40)),
                ('rule_name', models.CharField(blank=True, help_text='What the rule was called then.', max_length=120)),
                ('version', models.PositiveIntegerField(help_text='Version of the routing rules.', null=True)),
                ('reason', models.CharField(choices=[('person', 'person'), ('api', 'api'), ('same_company', 'same_company'), ('rule', 'rule'), ('catch_all', 'catch_all'), ('overflow', 'overflow'), ('pool', 'pool'), ('owner_removed', 'owner_removed'), ('escalated', 'escalated')], max_length=16)),
                ('passed_over', models.JSONField(default=list, help_text="The pool's other members, each with the reason.")),
                ('shares', models.JSONField(default=dict, editable=False, help_text='What the turn added to each `behind`.')),
                ('is_returned', models.BooleanField(default=False, help_text='Given back so soon that the turn was given back too.')),
                ('target_minutes', models.PositiveIntegerField(help_text='The time to answer that the rule sets.', null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Credit',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('amount', models.BigIntegerField(help_text='Positive: more leads. In millionths of a lead.')),
                ('reason', models.CharField(max_length=200)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='Pool',
            fields=[
                ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('pool',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('round_robin', 'round_robin'), ('least_open', 'least_open')], default=leads.enums.PoolKind['ROUND_ROBIN'], max_length=16)),
                ('is_catch_all', models.BooleanField(default=False, help_text='Deals the leads that no rule leads anywhere.')),
                ('respects_hours', models.BooleanField(default=False, help_text='Deals only to members in their working hours.')),
                ('hold', models.BooleanField(default=False, help_text='A lead that nobody can take waits, and is dealt later.')),
                ('overflow_minutes', models.PositiveIntegerField(default=0, help_text='How long a lead that nobody can take waits before the overflow pool deals it.')),
                ('streak_key', models.CharField(blank=True, editable=False, help_text='The member of the last turns.', max_length=40)),
                ('streak_length', models.PositiveIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='PoolMember',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('weight', models.PositiveSmallIntegerField(default=1)),
                ('daily_cap', models.PositiveIntegerField(blank=True, help_text='Leads of this pool a day.', null=True)),
                ('open_cap', models.PositiveIntegerField(blank=True, help_text='Open leads, of all pools.', null=True)),
                ('paused_until', models.DateTimeField(blank=True, null=True)),
                ('behind', models.BigIntegerField(default=0, editable=False, help_text='What they expected minus what they received, and credits. In millionths of a lead.')),
                ('credited', models.BigIntegerField(default=0, editable=False, help_text='The sum of their credits. In millionths of a lead.')),
                ('received', models.PositiveIntegerField(default=0, editable=False, help_text='Leads dealt by this pool.')),
                ('last_at', models.DateTimeField(editable=False, help_text='When they got their last lead here.', null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RoutingSettings',
            fields=[
                ('agency', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='routing_settings', serialize=False, to='accounts.agency')),
                ('same_company', models.BooleanField(default=True, help_text='A lead goes to who has a lead of the same company or business domain.')),
                ('company_days', models.PositiveSmallIntegerField(default=90, help_text='How old that other lead may be, in days.')),
            ],
        ),
        migrations.CreateModel(
            name='WaitingLead',
            fields=[
                ('attempts', models.PositiveIntegerField(default=0, help_text='Counted before each attempt, so a crash counts too.')),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, help_text='None: it has ended.', null=True)),
                ('leased_until', models.DateTimeField(editable=False, null=True)),
                ('error', models.CharField(blank=True, help_text='Why the last attempt failed, or what it waits for.', max_length=500)),
                ('lead', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='waiting', serialize=False, to='leads.lead')),
                ('rule', models.CharField(blank=True, max_length=40)),
                ('reason', models.CharField(blank=True, help_text='Why the pool deals it.', max_length=16)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='assignment',
            name='by',
            field=models.ForeignKey(help_text='The person who assigned it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='assignment',
            name='lead',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='leads.lead'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='member',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='assignments', to='accounts.member'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='origin',
            field=models.ForeignKey(db_constraint=False, db_index=False, editable=False, help_text='The record that the row was created for, where a merge has moved it.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='leads.lead'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='user',
            field=models.ForeignKey(help_text="The member's user.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='credit',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='credit',
            name='member',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.member'),
        ),
        migrations.AddField(
            model_name='pool',
            name='agency',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pools', to='accounts.agency'),
        ),
        migrations.AddField(
            model_name='pool',
            name='calendar',
            field=models.ForeignKey(blank=True, help_text="Working hours of members who have none of their own; else the agency's.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='pools', to='accounts.calendar'),
        ),
        migrations.AddField(
            model_name='pool',
            name='overflow_pool',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='leads.pool'),
        ),
        migrations.AddField(
            model_name='credit',
            name='pool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='credits', to='leads.pool'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='pool',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='assignments', to='leads.pool'),
        ),
        migrations.AddField(
            model_name='poolmember',
            name='member',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pool_places', to='accounts.member'),
        ),
        migrations.AddField(
            model_name='poolmember',
            name='pool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='leads.pool'),
        ),
        migrations.AddField(
            model_name='waitinglead',
            name='agency',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waiting_leads', to='accounts.agency'),
        ),
        migrations.AddField(
            model_name='waitinglead',
            name='pool',
            field=models.ForeignKey(help_text='None: unrouted.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='waiting', to='leads.pool'),
        ),
        migrations.AddConstraint(
            model_name='pool',
            constraint=models.UniqueConstraint(fields=('agency', 'name'), name='pool_name_once_per_agency'),
        ),
        migrations.AddConstraint(
            model_name='pool',
            constraint=models.UniqueConstraint(condition=models.Q(('is_catch_all', True)), fields=('agency',), name='pool_one_catch_all'),
        ),
        migrations.AddIndex(
            model_name='credit',
            index=models.Index(fields=['pool', '-id'], name='credit_newest'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(fields=['lead', '-id'], name='assignment_newest'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('is_returned', False), ('pool__isnull', False)), fields=['pool', 'at'], include=('member',), name='assignment_by_turn'),
        ),
        migrations.AddConstraint(
            model_name='poolmember',
            constraint=models.UniqueConstraint(fields=('pool', 'member'), name='pool_member_once'),
        ),
        migrations.AddIndex(
            model_name='waitinglead',
            index=models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='waiting_lead_due'),
        ),
        migrations.AddIndex(
            model_name='waitinglead',
            index=models.Index(fields=['agency', 'pool', 'since'], name='waiting_lead_by_pool'),
        ),
    ]
