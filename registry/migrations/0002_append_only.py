from django.db import migrations

from core.db import append_only


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_rubrics_prompts_releases")]

    operations = [
        migrations.RunSQL(*append_only("registry_rubricversion")),
        migrations.RunSQL(*append_only("registry_failuremode")),
        migrations.RunSQL(*append_only("registry_promptversion")),
        migrations.RunSQL(*append_only("registry_citation")),
        migrations.RunSQL(*append_only("registry_evidence", ("quotes", "comments", "correction"))),
        migrations.RunSQL(*append_only("registry_approval")),
    ]
