import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0001_people_projects_audit'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Prompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80)),
                ('name', models.CharField(max_length=120)),
                ('description', models.TextField(blank=True)),
                ('task', models.CharField(blank=True, max_length=60)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='PromptVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('blocks', models.JSONField()),
                ('model', models.CharField(blank=True, max_length=120)),
                ('params', models.JSONField(default=dict)),
                ('digest', models.CharField(max_length=64)),
                ('origin', models.CharField(choices=[('person', 'Written by a person'), ('optimizer', 'Proposed from evidence'), ('import', 'Imported')], default='person', max_length=16)),
                ('note', models.TextField(blank=True)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.promptversion')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='registry.prompt')),
            ],
        ),
        migrations.CreateModel(
            name='GateRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('target_mode', models.CharField(blank=True, max_length=80)),
                ('state', models.CharField(choices=[('pending', 'Waiting to run'), ('running', 'Running'), ('passed', 'Passed'), ('blocked', 'Blocked'), ('inconclusive', 'Not enough cases to say'), ('not_run', 'Could not run')], default='pending', max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('result', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('baseline', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.promptversion')),
                ('candidate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gate_runs', to='registry.promptversion')),
            ],
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=80)),
                ('trace_ref', models.BigIntegerField()),
                ('mode', models.CharField(max_length=80)),
                ('cause', models.CharField(choices=[('intent', 'Intent: what was asked for is unclear or wrong'), ('prompt', 'Prompt: the instructions'), ('model', 'Model or its parameters'), ('retrieval', 'Retrieval: what the model was given to read'), ('tool', 'Tool: a call, its arguments or its answer'), ('judge', 'Judge: the automatic evaluation was wrong'), ('policy', 'Policy: the rules themselves'), ('data', 'Data: the source is wrong or missing'), ('unknown', 'Not known')], max_length=16)),
                ('severity', models.CharField(choices=[('minor', 'Minor'), ('major', 'Major'), ('critical', 'Critical')], max_length=16)),
                ('share', models.FloatField()),
                ('votes', models.PositiveIntegerField()),
                ('quotes', models.JSONField(default=list)),
                ('comments', models.JSONField(default=list)),
                ('correction', models.TextField(blank=True)),
                ('probability', models.FloatField()),
                ('created_at', models.DateTimeField()),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
                ('prompt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='registry.prompt')),
                ('prompt_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='registry.promptversion')),
            ],
        ),
        migrations.CreateModel(
            name='Citation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('block', models.CharField(max_length=80)),
                ('mode', models.CharField(max_length=80)),
                ('hypothesis', models.TextField(blank=True)),
                ('evidence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.evidence')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='citations', to='registry.promptversion')),
            ],
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField()),
                ('at', models.DateTimeField()),
                ('approved_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('gate_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='registry.gaterun')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='registry.promptversion')),
            ],
        ),
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('canary', 'Canary'), ('live', 'Live'), ('retired', 'Retired'), ('rolled_back', 'Rolled back')], max_length=16)),
                ('share', models.FloatField()),
                ('salt', models.CharField(max_length=32)),
                ('monitor', models.JSONField(default=dict)),
                ('reason', models.TextField(blank=True)),
                ('started_at', models.DateTimeField()),
                ('promoted_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.TextField(blank=True)),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.environment')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.prompt')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='registry.promptversion')),
            ],
        ),
        migrations.CreateModel(
            name='Observation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('arm', models.CharField(choices=[('canary', 'Canary'), ('control', 'Control')], max_length=8)),
                ('unit', models.CharField(max_length=120)),
                ('source', models.CharField(max_length=16)),
                ('trace_ref', models.BigIntegerField()),
                ('defect', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(null=True)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='observations', to='registry.release')),
            ],
        ),
        migrations.CreateModel(
            name='Rubric',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60)),
                ('name', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField()),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='RubricVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('criteria', models.JSONField(default=list)),
                ('note', models.CharField(blank=True, max_length=400)),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('rubric', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.rubric')),
            ],
        ),
        migrations.CreateModel(
            name='GoldenCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=80)),
                ('trace_ref', models.BigIntegerField(null=True)),
                ('cluster', models.CharField(max_length=80)),
                ('messages', models.JSONField()),
                ('variables', models.JSONField(default=dict)),
                ('documents', models.JSONField(default=list)),
                ('recorded_output', models.TextField()),
                ('modes', models.JSONField(default=list)),
                ('must_pass', models.BooleanField(default=False)),
                ('times_used', models.PositiveIntegerField(default=0)),
                ('retired_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.prompt')),
                ('rubric_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.rubricversion')),
            ],
        ),
        migrations.CreateModel(
            name='FailureMode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=80)),
                ('label', models.CharField(max_length=120)),
                ('group', models.CharField(blank=True, max_length=80)),
                ('definition', models.TextField(blank=True)),
                ('remedy', models.TextField(blank=True)),
                ('default_cause', models.CharField(choices=[('intent', 'Intent: what was asked for is unclear or wrong'), ('prompt', 'Prompt: the instructions'), ('model', 'Model or its parameters'), ('retrieval', 'Retrieval: what the model was given to read'), ('tool', 'Tool: a call, its arguments or its answer'), ('judge', 'Judge: the automatic evaluation was wrong'), ('policy', 'Policy: the rules themselves'), ('data', 'Data: the source is wrong or missing'), ('unknown', 'Not known')], default='unknown', max_length=16)),
                ('default_severity', models.CharField(choices=[('minor', 'Minor'), ('major', 'Major'), ('critical', 'Critical')], default='major', max_length=16)),
                ('position', models.PositiveIntegerField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='modes', to='registry.rubricversion')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.AddField(
            model_name='evidence',
            name='rubric_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='registry.rubricversion'),
        ),
        migrations.CreateModel(
            name='SurfaceFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(max_length=80)),
                ('lever', models.CharField(choices=[('intent', 'Intent: what was asked for is unclear or wrong'), ('prompt', 'Prompt: the instructions'), ('model', 'Model or its parameters'), ('retrieval', 'Retrieval: what the model was given to read'), ('tool', 'Tool: a call, its arguments or its answer'), ('judge', 'Judge: the automatic evaluation was wrong'), ('policy', 'Policy: the rules themselves'), ('data', 'Data: the source is wrong or missing'), ('unknown', 'Not known')], max_length=16)),
                ('state', models.CharField(choices=[('open', 'Open'), ('proposed', 'A version is proposed'), ('addressed', 'Addressed by a live version'), ('dismissed', 'Dismissed')], default='open', max_length=16)),
                ('evidence_count', models.PositiveIntegerField()),
                ('weight', models.FloatField()),
                ('note', models.TextField(blank=True)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
                ('prompt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='registry.prompt')),
            ],
        ),
        migrations.CreateModel(
            name='OptimizationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('optimizer', models.CharField(max_length=40)),
                ('state', models.CharField(choices=[('pending', 'Waiting to run'), ('running', 'Running'), ('proposed', 'Proposed a version'), ('no_change', 'Found nothing to change'), ('failed', 'Failed')], default='pending', max_length=16)),
                ('reason', models.TextField(blank=True)),
                ('calls', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('base', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.promptversion')),
                ('proposal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.promptversion')),
                ('finding', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='registry.surfacefinding')),
            ],
        ),
        migrations.CreateModel(
            name='GateCaseResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('arm', models.CharField(max_length=16)),
                ('passed', models.BooleanField(null=True)),
                ('modes', models.JSONField(default=list)),
                ('output', models.TextField(blank=True)),
                ('error', models.TextField(blank=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='results', to='registry.gaterun')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.goldencase')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'case', 'arm'), name='one_result_per_arm'), models.CheckConstraint(condition=models.Q(('arm__in', ['candidate', 'baseline'])), name='gate_arm_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='prompt',
            constraint=models.UniqueConstraint(fields=('project', 'slug'), name='prompt_slug_unique'),
        ),
        migrations.AddConstraint(
            model_name='promptversion',
            constraint=models.UniqueConstraint(fields=('prompt', 'number'), name='version_number_unique'),
        ),
        migrations.AddConstraint(
            model_name='promptversion',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['person', 'optimizer', 'import'])), name='version_origin_known'),
        ),
        migrations.AddConstraint(
            model_name='gaterun',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['pending', 'running'])), fields=('candidate',), name='one_gate_run_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='gaterun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'running', 'passed', 'blocked', 'inconclusive', 'not_run'])), name='gate_state_known'),
        ),
        migrations.AddConstraint(
            model_name='gaterun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('state__in', ['pending', 'running'])), models.Q(('state__in', ['passed', 'blocked', 'inconclusive', 'not_run']), ('finished_at__isnull', False)), _connector='OR'), name='gate_shape'),
        ),
        migrations.AddConstraint(
            model_name='citation',
            constraint=models.UniqueConstraint(fields=('version', 'evidence', 'block'), name='citation_unique'),
        ),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.UniqueConstraint(fields=('version', 'approved_by'), name='one_approval_per_person'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'live')), fields=('prompt', 'environment'), name='one_live'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'canary')), fields=('prompt', 'environment'), name='one_canary'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['canary', 'live', 'retired', 'rolled_back'])), name='release_state_known'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.CheckConstraint(condition=models.Q(('share__gt', 0), ('share__lte', 1)), name='release_share_in_range'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ['live', 'canary'])), models.Q(('ended_at__isnull', False), ('state__in', ['retired', 'rolled_back'])), _connector='OR'), name='release_shape'),
        ),
        migrations.AddIndex(
            model_name='observation',
            index=models.Index(condition=models.Q(('seen_at', None)), fields=['release', 'source', 'id'], name='observation_unseen'),
        ),
        migrations.AddConstraint(
            model_name='observation',
            constraint=models.UniqueConstraint(fields=('release', 'unit', 'source'), name='one_observation_per_unit'),
        ),
        migrations.AddConstraint(
            model_name='observation',
            constraint=models.CheckConstraint(condition=models.Q(('arm__in', ['canary', 'control'])), name='observation_arm_known'),
        ),
        migrations.AddConstraint(
            model_name='rubric',
            constraint=models.UniqueConstraint(fields=('project', 'slug'), name='rubric_slug_unique'),
        ),
        migrations.AddConstraint(
            model_name='rubricversion',
            constraint=models.UniqueConstraint(fields=('rubric', 'number'), name='rubric_number_unique'),
        ),
        migrations.AddIndex(
            model_name='goldencase',
            index=models.Index(condition=models.Q(('retired_at', None)), fields=['prompt', 'id'], name='golden_live'),
        ),
        migrations.AddConstraint(
            model_name='goldencase',
            constraint=models.UniqueConstraint(fields=('project', 'source'), name='golden_source_unique'),
        ),
        migrations.AddConstraint(
            model_name='failuremode',
            constraint=models.UniqueConstraint(fields=('version', 'code'), name='mode_code_unique'),
        ),
        migrations.AddConstraint(
            model_name='failuremode',
            constraint=models.CheckConstraint(condition=models.Q(('default_cause__in', ['intent', 'prompt', 'model', 'retrieval', 'tool', 'judge', 'policy', 'data', 'unknown'])), name='mode_cause_known'),
        ),
        migrations.AddConstraint(
            model_name='failuremode',
            constraint=models.CheckConstraint(condition=models.Q(('default_severity__in', ['minor', 'major', 'critical'])), name='mode_severity_known'),
        ),
        migrations.AddIndex(
            model_name='evidence',
            index=models.Index(fields=['prompt', 'mode', 'cause', '-id'], name='evidence_by_mode'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(fields=('project', 'source'), name='evidence_source_unique'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ['intent', 'prompt', 'model', 'retrieval', 'tool', 'judge', 'policy', 'data', 'unknown'])), name='evidence_cause_known'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', ['minor', 'major', 'critical'])), name='evidence_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.CheckConstraint(condition=models.Q(('probability__gt', 0), ('probability__lte', 1)), name='evidence_probability'),
        ),
        migrations.AddConstraint(
            model_name='surfacefinding',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['open', 'proposed'])), fields=('project', 'prompt', 'mode', 'lever'), name='one_open_finding', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='surfacefinding',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'proposed', 'addressed', 'dismissed'])), name='finding_state_known'),
        ),
        migrations.AddConstraint(
            model_name='surfacefinding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state__in', ['open', 'proposed'])), models.Q(('closed_at__isnull', False), ('state__in', ['addressed', 'dismissed'])), _connector='OR'), name='finding_shape'),
        ),
        migrations.AddConstraint(
            model_name='optimizationrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['pending', 'running'])), fields=('finding',), name='one_optimization_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='optimizationrun',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'running', 'proposed', 'no_change', 'failed'])), name='optimization_state_known'),
        ),
        migrations.AddConstraint(
            model_name='optimizationrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('proposal__isnull', False), ('state', 'proposed')), models.Q(models.Q(('state', 'proposed'), _negated=True), ('proposal', None)), _connector='OR'), name='optimization_shape'),
        ),
    ]
