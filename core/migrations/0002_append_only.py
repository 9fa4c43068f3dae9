from django.db import migrations

from core.db import append_only


class Migration(migrations.Migration):
    dependencies = [("core", "0001_people_projects_audit")]

    operations = [
        migrations.RunSQL(*append_only("core_auditentry", ("actor_label", "actor_id"))),
    ]
