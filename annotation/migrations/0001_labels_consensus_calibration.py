import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0001_people_projects_audit'),
        ('registry', '0001_rubrics_prompts_releases'),
        ('routing', '0001_traces_decisions_queue'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CalibrationSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=160)),
                ('goal', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('open', 'Open'), ('finished', 'Finished')], default='open', max_length=12)),
                ('report', models.JSONField(default=dict)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('lead', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='CalibrationMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='annotation.calibrationsession')),
            ],
        ),
        migrations.CreateModel(
            name='CalibrationItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('why', models.TextField()),
                ('ruling', models.CharField(blank=True, choices=[('acceptable', 'Acceptable'), ('defective', 'Defective'), ('cannot_judge', 'Cannot judge'), ('unstated', 'Ratings or comments only')], max_length=16)),
                ('ruling_modes', models.JSONField(default=list)),
                ('ruling_reason', models.TextField(blank=True)),
                ('ruled_at', models.DateTimeField(null=True)),
                ('trace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='routing.trace')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotation.calibrationsession')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='Consensus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(max_length=40)),
                ('method_version', models.CharField(max_length=16)),
                ('state', models.CharField(choices=[('final', 'Agreed'), ('disputed', 'Disputed')], max_length=12)),
                ('verdict', models.CharField(choices=[('acceptable', 'Acceptable'), ('defective', 'Defective'), ('cannot_judge', 'Cannot judge'), ('unstated', 'Ratings or comments only')], max_length=16)),
                ('share', models.FloatField(null=True)),
                ('votes', models.PositiveIntegerField()),
                ('inputs', models.JSONField()),
                ('superseded_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='routing.item')),
                ('rubric_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.rubricversion')),
                ('trace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consensus', to='routing.trace')),
            ],
        ),
        migrations.CreateModel(
            name='ConsensusFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(max_length=80)),
                ('cause', models.CharField(choices=[('intent', 'Intent: what was asked for is unclear or wrong'), ('prompt', 'Prompt: the instructions'), ('model', 'Model or its parameters'), ('retrieval', 'Retrieval: what the model was given to read'), ('tool', 'Tool: a call, its arguments or its answer'), ('judge', 'Judge: the automatic evaluation was wrong'), ('policy', 'Policy: the rules themselves'), ('data', 'Data: the source is wrong or missing'), ('unknown', 'Not known')], max_length=16)),
                ('severity', models.CharField(choices=[('minor', 'Minor'), ('major', 'Major'), ('critical', 'Critical')], max_length=16)),
                ('votes', models.PositiveIntegerField()),
                ('share', models.FloatField()),
                ('consensus', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='annotation.consensus')),
            ],
        ),
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.JSONField()),
                ('saved_at', models.DateTimeField()),
                ('slot', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='routing.slot')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('work', 'Work'), ('audit', 'Audit of an auto-approved output'), ('gold', 'Gold'), ('repeat', 'Repeat'), ('calibration', 'Calibration')], max_length=12)),
                ('verdict', models.CharField(choices=[('acceptable', 'Acceptable'), ('defective', 'Defective'), ('cannot_judge', 'Cannot judge'), ('unstated', 'Ratings or comments only')], max_length=16)),
                ('ratings', models.JSONField(default=dict)),
                ('comment', models.TextField(blank=True)),
                ('corrected_output', models.TextField(null=True)),
                ('confidence', models.PositiveSmallIntegerField(null=True)),
                ('saw_judge', models.BooleanField(default=False)),
                ('active_ms', models.PositiveIntegerField(null=True)),
                ('source', models.CharField(max_length=16)),
                ('created_at', models.DateTimeField()),
                ('annotator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('calibration_item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='annotation.calibrationitem')),
                ('rubric_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.rubricversion')),
                ('slot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='routing.slot')),
                ('supersedes', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='annotation.label')),
                ('trace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='routing.trace')),
            ],
        ),
        migrations.CreateModel(
            name='LabelFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(max_length=80)),
                ('cause', models.CharField(choices=[('intent', 'Intent: what was asked for is unclear or wrong'), ('prompt', 'Prompt: the instructions'), ('model', 'Model or its parameters'), ('retrieval', 'Retrieval: what the model was given to read'), ('tool', 'Tool: a call, its arguments or its answer'), ('judge', 'Judge: the automatic evaluation was wrong'), ('policy', 'Policy: the rules themselves'), ('data', 'Data: the source is wrong or missing'), ('unknown', 'Not known')], max_length=16)),
                ('severity', models.CharField(choices=[('minor', 'Minor'), ('major', 'Major'), ('critical', 'Critical')], max_length=16)),
                ('spans', models.JSONField(default=list)),
                ('comment', models.TextField(blank=True)),
                ('label', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='annotation.label')),
            ],
        ),
        migrations.AddConstraint(
            model_name='calibrationsession',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state', 'open')), models.Q(('closed_at__isnull', False), ('state', 'finished')), _connector='OR'), name='calibration_shape'),
        ),
        migrations.AddConstraint(
            model_name='calibrationmember',
            constraint=models.UniqueConstraint(fields=('session', 'user'), name='one_seat_per_person'),
        ),
        migrations.AddConstraint(
            model_name='calibrationitem',
            constraint=models.UniqueConstraint(fields=('session', 'trace'), name='item_once_per_session'),
        ),
        migrations.AddConstraint(
            model_name='calibrationitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ruled_at', None), ('ruling', '')), models.Q(models.Q(('ruling', ''), _negated=True), ('ruled_at__isnull', False)), _connector='OR'), name='ruling_shape'),
        ),
        migrations.AddConstraint(
            model_name='consensus',
            constraint=models.UniqueConstraint(condition=models.Q(('superseded_at', None)), fields=('trace',), name='one_consensus_per_trace'),
        ),
        migrations.AddConstraint(
            model_name='consensus',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['final', 'disputed'])), name='consensus_state_known'),
        ),
        migrations.AddConstraint(
            model_name='consensus',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['acceptable', 'defective', 'cannot_judge', 'unstated'])), name='consensus_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='consensusfinding',
            constraint=models.UniqueConstraint(fields=('consensus', 'mode'), name='one_agreed_finding'),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=models.UniqueConstraint(fields=('slot', 'user'), name='one_draft_per_person'),
        ),
        migrations.AddIndex(
            model_name='label',
            index=models.Index(fields=['annotator', '-created_at'], name='label_by_annotator'),
        ),
        migrations.AddIndex(
            model_name='label',
            index=models.Index(fields=['-created_at'], name='label_by_time'),
        ),
        migrations.AddConstraint(
            model_name='label',
            constraint=models.UniqueConstraint(condition=models.Q(('supersedes', None)), fields=('slot',), name='one_first_label_per_slot'),
        ),
        migrations.AddConstraint(
            model_name='label',
            constraint=models.UniqueConstraint(condition=models.Q(('calibration_item__isnull', False), ('supersedes', None)), fields=('calibration_item', 'annotator'), name='one_vote_per_member'),
        ),
        migrations.AddConstraint(
            model_name='label',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['acceptable', 'defective', 'cannot_judge', 'unstated'])), name='label_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='label',
            constraint=models.CheckConstraint(condition=models.Q(('confidence', None), models.Q(('confidence__gte', 1), ('confidence__lte', 5)), _connector='OR'), name='label_confidence_in_range'),
        ),
        migrations.AddConstraint(
            model_name='labelfinding',
            constraint=models.UniqueConstraint(fields=('label', 'mode'), name='one_finding_per_mode'),
        ),
        migrations.AddConstraint(
            model_name='labelfinding',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ['intent', 'prompt', 'model', 'retrieval', 'tool', 'judge', 'policy', 'data', 'unknown'])), name='label_cause_known'),
        ),
        migrations.AddConstraint(
            model_name='labelfinding',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', ['minor', 'major', 'critical'])), name='label_severity_known'),
        ),
    ]
