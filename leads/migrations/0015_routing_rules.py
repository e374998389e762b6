import accounts.core.ids
import django.db.models.deletion
import functools
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_event_channels'),
        ('leads', '0014_assignee_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoutingRule',
            fields=[
                ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('rule',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('position', models.PositiveIntegerField(help_text='Counted from 1.')),
                ('active', models.BooleanField(default=True)),
                ('conditions', models.JSONField(blank=True, default=dict)),
                ('disabled_reason', models.CharField(blank=True, help_text='Why Leadline switched the rule off. Empty: it did not.', max_length=500)),
                ('version', models.PositiveIntegerField(help_text='The version of the set that changed the rule last.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('keeps', models.BooleanField(default=False, help_text='Leaves the lead to whoever takes it, off the unrouted list.')),
                ('tags', models.JSONField(blank=True, default=list)),
                ('target_minutes', models.PositiveIntegerField(blank=True, help_text='To the first answer.', null=True)),
                ('channels', models.JSONField(blank=True, default=list, help_text='Ids of channels that hear of the assignment too.')),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='%(class)ss', to='accounts.agency')),
                ('member', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.member')),
                ('pool', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='leads.pool')),
            ],
            options={
                'ordering': ['position', 'id'],
                'abstract': False,
                'indexes': [models.Index(fields=['agency', 'position'], name='routing_rule_by_position')],
            },
        ),
    ]
