from django.db import migrations, models

from core.db import append_only

TABLE = "registry_evidence"
BEFORE = append_only(TABLE, ("quotes", "comments", "correction"))
AFTER = append_only(TABLE, ("quotes", "comments", "correction", "withdrawn_at"))


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_append_only")]

    operations = [
        migrations.RunSQL(BEFORE[1], BEFORE[0]),
        migrations.AddField("evidence", "withdrawn_at", models.DateTimeField(null=True)),
        migrations.RunSQL(*AFTER),
    ]
