import django.contrib.postgres.fields
from django.db import migrations, models

from core.db import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0002_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seals', models.PositiveBigIntegerField()),
                ('rows', models.PositiveBigIntegerField()),
                ('broken_seal', models.PositiveBigIntegerField(null=True)),
                ('finding', models.CharField(blank=True, max_length=200)),
                ('at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('broken_seal__isnull', True), ('finding', '')), models.Q(('broken_seal__isnull', False), models.Q(('finding', ''), _negated=True)), _connector='OR'), name='broken_check_says_where')],
            },
        ),
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(unique=True)),
                ('first_id', models.BigIntegerField()),
                ('last_id', models.BigIntegerField(unique=True)),
                ('count', models.PositiveIntegerField()),
                ('ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('leaves', models.BinaryField()),
                ('digest', models.CharField(max_length=64)),
                ('previous_digest', models.CharField(blank=True, max_length=64)),
                ('at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('count__gt', 0), ('first_id__lte', models.F('last_id')), ('number__gt', 0)), name='seal_holds_rows')],
            },
        ),
        migrations.RunSQL(*append_only("core_auditseal")),
        migrations.RunSQL(*append_only("core_auditcheck")),
    ]
