from django.db import migrations

from core.db import append_only


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_labels_consensus_calibration")]

    operations = [
        migrations.RunSQL(*append_only("annotation_label", ("comment", "corrected_output"))),
        migrations.RunSQL(*append_only("annotation_labelfinding", ("spans", "comment"))),
        migrations.RunSQL(*append_only("annotation_consensusfinding")),
    ]
