import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_preference'),
        ('leads', '0004_facts'),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('query', models.CharField(help_text="The address's query, without words that are searched for.", max_length=1000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lead_filters', to='accounts.member')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('member', 'name'), name='saved_filter_once_per_name')],
            },
        ),
        migrations.AddField(
            model_name='lead',
            name='furthest_status',
            field=models.TextField(blank=True, db_default='', default='', editable=False, help_text='The furthest status that the lead ever had. Empty: none that says how far it came.'),
        ),
        migrations.AddField(
            model_name='leadchange',
            name='assignee_id',
            field=models.BigIntegerField(editable=False, help_text='The user whom the lead was assigned to; 0: nobody any more.', null=True),
        ),
        migrations.AddField(
            model_name='leadchange',
            name='user_id',
            field=models.BigIntegerField(editable=False, help_text='The user who made it, if a person did.', null=True),
        ),
    ]
