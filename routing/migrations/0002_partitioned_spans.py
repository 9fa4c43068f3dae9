from django.db import migrations

# Partitions by month are made by routing.retention; the default one catches what is outside them,
# so that no write ever fails for want of a partition.
TABLES = """
CREATE TABLE routing_span (
    started_at timestamptz NOT NULL,
    environment_id bigint NOT NULL,
    trace_id varchar(64) NOT NULL,
    span_id varchar(16) NOT NULL,
    parent_id varchar(16) NOT NULL,
    name varchar(200) NOT NULL,
    kind varchar(16) NOT NULL,
    status varchar(8) NOT NULL,
    ended_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (environment_id, trace_id, span_id, started_at)
) PARTITION BY RANGE (started_at);
CREATE TABLE routing_span_default PARTITION OF routing_span DEFAULT;

CREATE TABLE routing_payload (
    started_at timestamptz NOT NULL,
    trace_id bigint NOT NULL,
    output text NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (trace_id, started_at)
) PARTITION BY RANGE (started_at);
CREATE TABLE routing_payload_default PARTITION OF routing_payload DEFAULT;

-- The first ones, so that nothing lands in the default before the first sweep.
DO $$
DECLARE
    first timestamptz;
    name text;
BEGIN
    FOR i IN -2..2 LOOP
        first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))
                 AT TIME ZONE 'UTC';
        FOREACH name IN ARRAY ARRAY['routing_span', 'routing_payload'] LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                name || '_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMM'), name, first,
                (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC'
            );
        END LOOP;
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("routing", "0001_traces_decisions_queue")]

    operations = [
        migrations.RunSQL(TABLES, "DROP TABLE routing_payload; DROP TABLE routing_span;"),
    ]
