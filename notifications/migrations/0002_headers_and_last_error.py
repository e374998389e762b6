from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_preference'),
        ('notifications', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='attempt',
            name='request_headers',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='attempt',
            name='response_headers',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='channel',
            name='last_error',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=500),
        ),
        migrations.AddField(
            model_name='channel',
            name='last_excerpt',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=160),
        ),
        migrations.AddField(
            model_name='channel',
            name='last_status_code',
            field=models.PositiveSmallIntegerField(editable=False, null=True),
        ),
    ]
