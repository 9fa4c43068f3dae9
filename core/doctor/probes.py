"""Everything that is asked of the cellar, in the order in which a person would mend it."""

from __future__ import annotations

from typing import Final

from core.doctor.checks import Probe
from core.doctor.database import (
    check_clock,
    check_database,
    check_default_partitions,
    check_idle_sessions,
    check_migrations,
    check_partitions_ahead,
)
from core.doctor.disk import check_disk
from core.doctor.services import check_broker, check_embedded, check_redis, check_workers
from core.doctor.setup import check_debug, check_hosts, check_models, check_secret_key

PROBES: Final[tuple[tuple[str, Probe], ...]] = (
    ("database", check_database),
    ("migrations", check_migrations),
    ("redis", check_redis),
    ("broker", check_broker),
    ("workers", check_workers),
    ("embedded servers", check_embedded),
    ("idle sessions", check_idle_sessions),
    ("clock", check_clock),
    ("partitions ahead", check_partitions_ahead),
    ("default partitions", check_default_partitions),
    ("disk", check_disk),
    ("models", check_models),
    ("debug", check_debug),
    ("secret key", check_secret_key),
    ("hosts", check_hosts),
)
