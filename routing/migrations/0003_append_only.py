from django.db import migrations

from core.db import append_only


class Migration(migrations.Migration):
    dependencies = [("routing", "0002_partitioned_spans")]

    operations = [
        migrations.RunSQL(*append_only("routing_score", ("explanation",))),
        migrations.RunSQL(*append_only("routing_decision")),
        migrations.RunSQL(*append_only("routing_slaevent")),
    ]
