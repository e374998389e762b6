import accounts.core.ids
import django.db.models.deletion
import functools
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0010_sentences'),
        ('leads', '0018_target_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='TargetList',
            fields=[
                ('id', models.CharField(default=functools.partial(accounts.core.ids.new_id, *('list',), **{}), editable=False, max_length=40, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('companies', models.PositiveIntegerField(default=0, help_text='Entries that are names.')),
                ('domains', models.PositiveIntegerField(default=0, help_text='Entries that are domains.')),
                ('duplicates', models.PositiveIntegerField(default=0, help_text='Values of the file that it had before.')),
                ('refused_count', models.PositiveIntegerField(default=0, help_text='Rows of the file that could not be read.')),
                ('refused', models.JSONField(default=list, help_text='The first of them: `{row, value, reason}`.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='target_lists', to='accounts.agency')),
            ],
        ),
        migrations.CreateModel(
            name='TargetListEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=300)),
                ('text', models.CharField(help_text='As the file has it.', max_length=300)),
                ('target_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='leads.targetlist')),
            ],
        ),
        migrations.AddConstraint(
            model_name='targetlist',
            constraint=models.UniqueConstraint(fields=('agency', 'name'), name='target_list_name_once_per_agency'),
        ),
        migrations.AddConstraint(
            model_name='targetlistentry',
            constraint=models.UniqueConstraint(fields=('key', 'target_list'), name='target_list_entry_once'),
        ),
    ]
