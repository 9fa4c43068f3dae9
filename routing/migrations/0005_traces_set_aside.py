from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0004_indexes_for_the_sla_board")]

    operations = [
        migrations.AddIndex(
            "trace",
            models.Index(
                fields=["busy_until"],
                condition=models.Q(busy_until__isnull=False),
                name="trace_busy",
            ),
        ),
    ]
