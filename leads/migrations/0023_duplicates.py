import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.core.ids
import leads.enums


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_event_channels'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('leads', '0022_list_filters'),
    ]

    operations = [
        migrations.AddField(
            model_name='lead',
            name='name_key',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=400),
        ),
        migrations.AddField(
            model_name='leadchange',
            name='sentence',
            field=models.JSONField(editable=False, help_text='The note as code and values, if it is ours.', null=True),
        ),
        migrations.CreateModel(
            name='DuplicateProposal',
            fields=[
                ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('dup',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                ('reasons', models.JSONField(default=list, help_text='What they have in common (`LikenessReason`).')),
                ('decision', models.CharField(blank=True, choices=[(leads.enums.ProposalDecision['MERGED'], 'merged'), (leads.enums.ProposalDecision['DISMISSED'], 'dismissed')], help_text='Empty: open.', max_length=16)),
                ('decided_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duplicates', to='accounts.agency')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='leads.lead')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='leads.lead')),
            ],
            options={
                'indexes': [
                    models.Index(condition=models.Q(('decision', '')), fields=['agency', '-id'], name='duplicate_proposal_open'),
                    models.Index(fields=['agency', '-id'], name='duplicate_proposal_newest'),
                ],
                'constraints': [models.UniqueConstraint(fields=('lead', 'other'), name='duplicate_proposal_once_per_pair')],
            },
        ),
    ]
