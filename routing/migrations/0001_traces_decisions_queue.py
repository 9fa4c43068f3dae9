import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0002_append_only'),
        ('registry', '0002_append_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Payload',
            fields=[
                ('pk', models.CompositePrimaryKey('started_at', 'trace_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('trace_id', models.BigIntegerField()),
                ('started_at', models.DateTimeField()),
                ('output', models.TextField()),
                ('content', models.JSONField()),
            ],
            options={
                'db_table': 'routing_payload',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='Span',
            fields=[
                ('pk', models.CompositePrimaryKey('started_at', 'environment_id', 'trace_id', 'span_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('environment_id', models.BigIntegerField()),
                ('trace_id', models.CharField(max_length=64)),
                ('span_id', models.CharField(max_length=16)),
                ('parent_id', models.CharField(blank=True, max_length=16)),
                ('name', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=16)),
                ('status', models.CharField(max_length=8)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('received_at', models.DateTimeField()),
                ('content', models.JSONField()),
            ],
            options={
                'db_table': 'routing_span',
                'managed': False,
            },
        ),
        migrations.CreateModel(
            name='AutoApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('override', "Admin's override"), ('certificate', 'Earned certificate')], max_length=12)),
                ('reason', models.TextField()),
                ('details', models.JSONField(default=dict)),
                ('granted_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('revoke_reason', models.TextField(blank=True)),
                ('granted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='Calendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('time_zone', models.CharField(default='UTC', max_length=60)),
                ('hours', models.JSONField(default=dict)),
                ('holidays', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('tier', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=8)),
                ('action', models.CharField(choices=[('auto_approve', 'Auto-approved'), ('review', 'Sent to review'), ('audit', 'Auto-approved, drawn for audit')], max_length=16)),
                ('risk', models.FloatField()),
                ('factors', models.JSONField()),
                ('reason', models.TextField()),
                ('probability', models.FloatField()),
                ('seed', models.CharField(max_length=64)),
                ('draw', models.FloatField()),
                ('sla', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('auto_approval', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='routing.autoapproval')),
            ],
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tier', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=8)),
                ('state', models.CharField(choices=[('open', 'Open'), ('done', 'Done'), ('withdrawn', 'Withdrawn')], default='open', max_length=12)),
                ('due_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('first_done_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to='routing.decision')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='Reviewer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('training', 'In training'), ('active', 'Active'), ('paused', 'Paused')], default='active', max_length=12)),
                ('tasks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None)),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), default=list, size=None)),
                ('picks', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='RiskPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('retired', 'Retired')], default='draft', max_length=12)),
                ('rules', models.JSONField()),
                ('note', models.CharField(blank=True, max_length=400)),
                ('created_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.AddField(
            model_name='decision',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='routing.riskpolicy'),
        ),
        migrations.CreateModel(
            name='SlaEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('applied', 'Applied'), ('warned', 'Warned'), ('breached', 'Breached'), ('fulfilled', 'Fulfilled'), ('withdrawn', 'Withdrawn')], max_length=12)),
                ('due_at', models.DateTimeField()),
                ('snapshot', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sla_events', to='routing.item')),
            ],
        ),
        migrations.CreateModel(
            name='SlaPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tier', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High')], max_length=8)),
                ('minutes', models.PositiveIntegerField()),
                ('goal', models.FloatField(default=0.97)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('calendar', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='routing.calendar')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
            ],
        ),
        migrations.CreateModel(
            name='Slot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(choices=[('work', 'Work'), ('audit', 'Audit of an auto-approved output'), ('gold', 'Gold'), ('repeat', 'Repeat'), ('calibration', 'Calibration')], default='work', max_length=12)),
                ('round', models.PositiveSmallIntegerField(default=1)),
                ('lane', models.PositiveSmallIntegerField()),
                ('due_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('leased', 'Leased'), ('done', 'Done'), ('withdrawn', 'Withdrawn')], default='open', max_length=12)),
                ('until', models.DateTimeField(null=True)),
                ('token', models.PositiveIntegerField(default=0)),
                ('claimed_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('holder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slots', to='routing.item')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
                ('reserved_for', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Trace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trace_id', models.CharField(max_length=64)),
                ('name', models.CharField(blank=True, max_length=200)),
                ('arm', models.CharField(blank=True, max_length=8)),
                ('unit', models.CharField(blank=True, max_length=120)),
                ('model', models.CharField(blank=True, max_length=120)),
                ('task', models.CharField(blank=True, max_length=60)),
                ('language', models.CharField(blank=True, max_length=16)),
                ('session', models.CharField(blank=True, max_length=200)),
                ('user', models.CharField(blank=True, max_length=200)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), default=list, size=None)),
                ('status', models.CharField(default='ok', max_length=8)),
                ('preview', models.CharField(blank=True, max_length=200)),
                ('tokens_in', models.PositiveIntegerField(null=True)),
                ('tokens_out', models.PositiveIntegerField(null=True)),
                ('cost_usd', models.DecimalField(decimal_places=8, max_digits=14, null=True)),
                ('latency_ms', models.FloatField(null=True)),
                ('started_at', models.DateTimeField()),
                ('received_at', models.DateTimeField()),
                ('settle_at', models.DateTimeField()),
                ('stage', models.CharField(choices=[('received', 'Received'), ('settled', 'Complete'), ('scored', 'Scored by rules'), ('judged', 'Scored by the judge'), ('decided', 'Decided')], default='received', max_length=12)),
                ('busy_until', models.DateTimeField(null=True)),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.environment')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='core.project')),
                ('prompt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='registry.prompt')),
                ('prompt_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.promptversion')),
                ('release', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.release')),
            ],
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('evaluator', models.CharField(max_length=80)),
                ('version', models.CharField(max_length=40)),
                ('value', models.FloatField(null=True)),
                ('failed', models.BooleanField(null=True)),
                ('modes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), default=list, size=None)),
                ('explanation', models.TextField(blank=True)),
                ('error', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('trace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='score_set', to='routing.trace')),
            ],
        ),
        migrations.AddField(
            model_name='item',
            name='trace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='routing.trace'),
        ),
        migrations.AddField(
            model_name='decision',
            name='trace',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='routing.trace'),
        ),
        migrations.AddConstraint(
            model_name='autoapproval',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('project',), name='one_auto_approval_in_force'),
        ),
        migrations.AddConstraint(
            model_name='autoapproval',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['override', 'certificate'])), name='grant_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='autoapproval',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='grant_says_why'),
        ),
        migrations.AddConstraint(
            model_name='calendar',
            constraint=models.UniqueConstraint(fields=('project', 'name'), name='calendar_name_unique'),
        ),
        migrations.AddConstraint(
            model_name='reviewer',
            constraint=models.UniqueConstraint(fields=('project', 'user'), name='reviewer_unique'),
        ),
        migrations.AddConstraint(
            model_name='reviewer',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['training', 'active', 'paused'])), name='reviewer_state_known'),
        ),
        migrations.AddConstraint(
            model_name='riskpolicy',
            constraint=models.UniqueConstraint(fields=('project', 'number'), name='policy_number_unique'),
        ),
        migrations.AddConstraint(
            model_name='riskpolicy',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('project',), name='one_published_policy'),
        ),
        migrations.AddConstraint(
            model_name='riskpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'published', 'retired'])), name='policy_state_known'),
        ),
        migrations.AddConstraint(
            model_name='riskpolicy',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('published_at', None), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('published_at__isnull', False)), _connector='OR'), name='policy_shape'),
        ),
        migrations.AddIndex(
            model_name='slaevent',
            index=models.Index(fields=['kind', 'at'], name='sla_event_by_time'),
        ),
        migrations.AddConstraint(
            model_name='slaevent',
            constraint=models.UniqueConstraint(fields=('item', 'kind'), name='sla_event_once'),
        ),
        migrations.AddConstraint(
            model_name='slaevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['applied', 'warned', 'breached', 'fulfilled', 'withdrawn'])), name='sla_event_known'),
        ),
        migrations.AddConstraint(
            model_name='slapolicy',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('project', 'tier'), name='one_sla_per_tier'),
        ),
        migrations.AddConstraint(
            model_name='slapolicy',
            constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['low', 'medium', 'high'])), name='sla_tier_known'),
        ),
        migrations.AddConstraint(
            model_name='slapolicy',
            constraint=models.CheckConstraint(condition=models.Q(('minutes__gt', 0)), name='sla_minutes_positive'),
        ),
        migrations.AddIndex(
            model_name='slot',
            index=models.Index(condition=models.Q(('reserved_for', None), ('state__in', ['open', 'leased'])), fields=['project', 'lane', 'due_at', 'id'], name='slot_claim'),
        ),
        migrations.AddIndex(
            model_name='slot',
            index=models.Index(condition=models.Q(('reserved_for__isnull', False), ('state__in', ['open', 'leased'])), fields=['reserved_for', 'project', 'lane', 'due_at', 'id'], name='slot_claim_reserved'),
        ),
        migrations.AddIndex(
            model_name='slot',
            index=models.Index(condition=models.Q(('state', 'leased')), fields=['holder', 'state'], name='slot_held'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['leased', 'done'])), fields=('item', 'holder', 'purpose', 'round'), name='one_opinion_per_person'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.UniqueConstraint(condition=models.Q(('reserved_for__isnull', False), models.Q(('state', 'withdrawn'), _negated=True)), fields=('item', 'reserved_for', 'purpose', 'round'), name='one_reservation_per_person'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'leased', 'done', 'withdrawn'])), name='slot_state_known'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['work', 'audit', 'gold', 'repeat', 'calibration'])), name='slot_purpose_known'),
        ),
        migrations.AddConstraint(
            model_name='slot',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('holder', None), ('state', 'open'), ('until', None)), models.Q(('closed_at', None), ('holder__isnull', False), ('state', 'leased'), ('until__isnull', False)), models.Q(('closed_at__isnull', False), ('holder__isnull', False), ('state', 'done'), ('until', None)), models.Q(('closed_at__isnull', False), ('holder', None), ('state', 'withdrawn'), ('until', None)), _connector='OR'), name='slot_shape'),
        ),
        migrations.AddIndex(
            model_name='trace',
            index=models.Index(fields=['project', '-id'], name='trace_by_project'),
        ),
        migrations.AddIndex(
            model_name='trace',
            index=models.Index(fields=['project', '-started_at', '-id'], name='trace_by_time'),
        ),
        migrations.AddIndex(
            model_name='trace',
            index=models.Index(condition=models.Q(('stage', 'received')), fields=['settle_at', 'id'], name='trace_unsettled'),
        ),
        migrations.AddIndex(
            model_name='trace',
            index=models.Index(condition=models.Q(('stage__in', ['settled', 'scored', 'judged'])), fields=['stage', 'id'], name='trace_on_the_way'),
        ),
        migrations.AddIndex(
            model_name='trace',
            index=models.Index(condition=models.Q(('session', ''), _negated=True), fields=['session'], name='trace_by_session'),
        ),
        migrations.AddConstraint(
            model_name='trace',
            constraint=models.UniqueConstraint(fields=('environment', 'trace_id'), name='trace_unique'),
        ),
        migrations.AddConstraint(
            model_name='trace',
            constraint=models.CheckConstraint(condition=models.Q(('stage__in', ['received', 'settled', 'scored', 'judged', 'decided'])), name='trace_stage_known'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.UniqueConstraint(fields=('trace', 'evaluator', 'version'), name='one_score_per_evaluator'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.CheckConstraint(condition=models.Q(('value', None), models.Q(('value__gte', 0), ('value__lte', 1)), _connector='OR'), name='score_in_range'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.CheckConstraint(condition=models.Q(('value__isnull', False), models.Q(('error', ''), _negated=True), _connector='OR'), name='missing_score_says_why'),
        ),
        migrations.AddIndex(
            model_name='item',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['project', 'due_at', 'id'], name='item_waiting'),
        ),
        migrations.AddIndex(
            model_name='item',
            index=models.Index(condition=models.Q(('closed_at__isnull', False)), fields=['project', 'closed_at'], name='item_closed'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('trace',), name='one_open_item_per_trace'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'done', 'withdrawn'])), name='item_state_known'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='item_shape'),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['policy', 'tier', 'action'], name='decision_by_policy'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.UniqueConstraint(fields=('trace', 'sequence'), name='decision_sequence_unique'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('probability__gt', 0), ('probability__lte', 1)), name='decision_probability'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['low', 'medium', 'high'])), name='decision_tier_known'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('action__in', ['auto_approve', 'review', 'audit'])), name='decision_action_known'),
        ),
    ]
