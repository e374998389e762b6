
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('leads', '0003_lead_text_sample'),
    ]

    operations = [
        migrations.AddField(
            model_name='lead',
            name='company_key',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name='lead',
            name='country_code',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=2),
        ),
        migrations.AddField(
            model_name='lead',
            name='domain',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=254),
        ),
        migrations.AddField(
            model_name='lead',
            name='is_free_mail',
            field=models.BooleanField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='lead',
            name='job_function',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=24),
        ),
        migrations.AddField(
            model_name='lead',
            name='seniority',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='lead',
            name='size_max',
            field=models.IntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='lead',
            name='size_min',
            field=models.IntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='lead',
            name='state_code',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=2),
        ),
        migrations.AddField(
            model_name='lead',
            name='zip5',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=5),
        ),
    ]
