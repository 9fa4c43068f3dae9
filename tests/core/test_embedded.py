"""The embedded services: they come up, come back, keep what was committed, and stop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from core import embedded
from core.embedded import folder, postgres_server, redis_server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def running() -> Iterator[Path]:
    """One home, up, for the tests that leave it as it is."""
    where = Path(tempfile.mkdtemp(prefix="whetstone-test-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WHETSTONE_THROWAWAY", raising=False)
        embedded.start(where)
    yield where
    embedded.stop(where)
    shutil.rmtree(where)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own, with the durability of real data."""
    monkeypatch.delenv("WHETSTONE_THROWAWAY", raising=False)
    where = Path(tempfile.mkdtemp(prefix="whetstone-test-"))
    yield where
    embedded.stop(where)
    shutil.rmtree(where)


def write(url: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", [text])


def notes(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM note ORDER BY text")]


def setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def call(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "WHETSTONE_HOME": str(where)}
    return subprocess.run(
        [sys.executable, "-m", "core.embedded", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def kill(pid: int | None) -> None:
    """And see it gone: the signal is sent at once, but death takes a moment."""
    assert pid is not None
    process = psutil.Process(pid)
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def test_a_second_start_finds_the_first_ones_servers(running: Path) -> None:
    before = embedded.status(running)
    assert embedded.start(running) == embedded.addresses(running)
    assert embedded.status(running) == before
    assert None not in before


def test_servers_outlive_the_process_that_started_them(home: Path) -> None:
    assert call(home, "start").returncode == 0
    assert None not in embedded.status(home)
    write(embedded.addresses(home).database_url, "still here")


def test_postgres_is_version_18_and_our_role_is_not_a_superuser(running: Path) -> None:
    url = embedded.addresses(running).database_url
    assert setting(url, "server_version").startswith("18.")
    assert setting(url, "is_superuser") == "off"
    assert setting(url, "timezone") == "UTC"


def test_our_role_may_create_a_test_database(running: Path) -> None:
    url = embedded.addresses(running).database_url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_whetstone")
        connection.execute("DROP DATABASE test_whetstone")


def test_committed_rows_survive_a_killed_postgres(home: Path) -> None:
    url = embedded.start(home).database_url
    write(url, "committed")
    kill(embedded.status(home).postgres)
    assert embedded.start(home).database_url == url
    assert notes(url) == ["committed"]


def test_a_busy_backend_of_a_killed_postgres_does_not_block_the_next(home: Path) -> None:
    url = embedded.start(home).database_url
    write(url, "committed")
    with ThreadPoolExecutor() as pool:
        busy = pool.submit(spin, url)
        wait_for_spin(url)
        kill(embedded.status(home).postgres)
        embedded.start(home)
        assert notes(url) == ["committed"]
        assert isinstance(busy.exception(timeout=30), psycopg.OperationalError)


def spin(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT count(*) FROM generate_series(1, 100000000000)")


def wait_for_spin(url: str) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM gen%%'"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(query).fetchone() == (0,):
            pass


def test_a_pid_file_whose_number_is_a_strangers_by_now_is_no_obstacle(home: Path) -> None:
    url = embedded.start(home).database_url
    write(url, "committed")
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    kill(embedded.status(home).postgres)
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    embedded.start(home)
    assert notes(url) == ["committed"]


def test_bells_survive_a_killed_redis(home: Path) -> None:
    url = embedded.start(home).redis_url
    with redis.Redis.from_url(url) as client:
        client.rpush("bells", "one", "two")
    kill(embedded.status(home).redis)
    assert embedded.start(home).redis_url == url
    with redis.Redis.from_url(url) as client:
        assert client.lrange("bells", 0, -1) == [b"one", b"two"]


def test_redis_with_an_unreadable_file_starts_empty(home: Path) -> None:
    url = embedded.start(home).redis_url
    embedded.stop(home)
    (home / "redis" / "appendonly.aof").write_text("*3\r\n$nonsense\r\n" * 5)
    embedded.start(home)
    with redis.Redis.from_url(url) as client:
        assert client.dbsize() == 0
    assert list((home / "redis").glob("*.broken-*"))


def test_redis_takes_another_port_where_its_own_is_taken(home: Path) -> None:
    before = embedded.start(home).redis_url
    embedded.stop(home)
    port = int((home / "redis" / "port").read_text())
    other = home / "other"
    (other / "redis").mkdir(parents=True)
    (other / "redis" / "port").write_text(str(port))
    redis_server.start(other)
    after = embedded.start(home).redis_url
    redis_server.stop(other)
    assert redis_server.url(other).endswith(f":{port}/0")
    assert after != before
    with redis.Redis.from_url(after) as client:
        assert client.ping()


def test_redis_keeps_strangers_out_and_never_evicts(running: Path) -> None:
    url = embedded.addresses(running).redis_url
    with redis.Redis.from_url(url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    with (
        redis.Redis(port=int((running / "redis" / "port").read_text())) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_a_path_too_long_for_a_socket_moves_the_socket(home: Path) -> None:
    deep = home / ("x" * 60) / ("y" * 60)
    url = embedded.start(deep).database_url
    write(url, "deep")
    moved = postgres_server.socket_folder(deep)
    assert len(str(moved)) < 60
    assert str(moved) in url
    assert moved.stat().st_mode & 0o777 == 0o700
    embedded.stop(deep)
    moved.rmdir()


def test_a_path_with_blanks_and_quotes_works(home: Path) -> None:
    odd = home / 'it\'s a 100% "odd" päth'
    write(embedded.start(odd).database_url, "odd")
    with redis.Redis.from_url(embedded.addresses(odd).redis_url) as client:
        assert client.ping()
    embedded.stop(odd)


def test_a_removed_socket_brings_the_server_back(home: Path) -> None:
    url = embedded.start(home).database_url
    write(url, "committed")
    (home / "postgres" / "socket" / ".s.PGSQL.5432").unlink()
    embedded.start(home)
    assert notes(url) == ["committed"]


def test_an_interrupted_first_start_leaves_nothing_in_the_way(home: Path) -> None:
    half = home / "postgres" / "new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    write(embedded.start(home).database_url, "whole")
    assert not half.exists()


def test_a_home_removed_under_its_servers_starts_afresh(home: Path) -> None:
    write(embedded.start(home).database_url, "old")
    old = embedded.status(home)
    shutil.rmtree(home / "postgres")
    shutil.rmtree(home / "redis")
    write(embedded.start(home).database_url, "new")
    assert notes(embedded.addresses(home).database_url) == ["new"]
    assert old.postgres is not None
    assert not folder.is_alive(old.postgres, "postgres", home / "postgres" / "data")


def test_stop_ends_both_and_is_harmless_twice(home: Path) -> None:
    embedded.start(home)
    embedded.stop(home)
    assert embedded.status(home) == (None, None)
    embedded.stop(home)


def test_stop_keeps_the_data_and_erase_does_not(home: Path) -> None:
    url = embedded.start(home).database_url
    write(url, "kept")
    embedded.stop(home)
    assert notes(embedded.start(home).database_url) == ["kept"]
    embedded.erase(home)
    fresh = embedded.start(home).database_url
    with pytest.raises(psycopg.errors.UndefinedTable):
        notes(fresh)


def test_four_starters_at_once_get_the_same_servers(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call(home, "start"), range(4)))
    assert [answer.returncode for answer in answers] == [0] * 4, answers
    assert len({answer.stdout for answer in answers}) == 1
    assert len(folder.strays("redis-server", home / "redis")) == 1


def test_data_is_safe_by_default_and_fast_where_it_is_thrown_away(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert setting(embedded.start(home).database_url, "fsync") == "on"
    embedded.stop(home)
    monkeypatch.setenv("WHETSTONE_THROWAWAY", "1")
    url = embedded.start(home).database_url
    assert [setting(url, name) for name in postgres_server.THROWAWAY] == ["off"] * 3


def test_another_servers_variables_do_not_lead_ours_astray(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    write(embedded.start(home).database_url, "ours")


def test_data_of_another_version_says_what_to_do(home: Path) -> None:
    embedded.start(home)
    embedded.stop(home)
    (home / "postgres" / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(embedded.EmbeddedError, match=r"another PostgreSQL version.*demo-reset"):
        embedded.start(home)


def test_a_home_that_cannot_be_written_says_what_to_do(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(embedded.EmbeddedError, match="set WHETSTONE_HOME"):
        embedded.start(home / "file")


def test_a_full_disk_is_said_in_a_sentence(home: Path) -> None:
    said = "initdb: error: could not write: No space left on device"
    assert postgres_server._explain("initdb", said, home) == (
        "PostgreSQL did not start: the disk is full;"
        " make room or set WHETSTONE_HOME to another disk."
    )


def test_no_redis_server_anywhere_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(redis_server.sys, "prefix", str(home))
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(embedded.EmbeddedError, match="run `make setup` or set REDIS_URL"):
        redis_server.start(home)


def test_supply_fills_in_only_what_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHETSTONE_HOME", str(home))
    environ = {"DATABASE_URL": "postgresql://elsewhere/db"}
    embedded.supply(environ)
    assert environ["DATABASE_URL"] == "postgresql://elsewhere/db"
    assert environ["REDIS_URL"] == embedded.addresses(home).redis_url
    assert embedded.status(home).postgres is None
    assert embedded.status(home).redis is not None


def test_supply_without_launch_names_and_starts_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHETSTONE_HOME", str(home))
    environ: dict[str, str] = {}
    embedded.supply(environ, launch=False)
    assert embedded.status(home) == (None, None)
    assert embedded.start(home) == (environ["DATABASE_URL"], environ["REDIS_URL"])


@pytest.mark.parametrize("off", ["0", "false", "No"])
def test_embedded_services_are_refused_in_production(off: str) -> None:
    with pytest.raises(embedded.EmbeddedError, match="DATABASE_URL and REDIS_URL must be set"):
        embedded.supply({"DEBUG": off})


def test_an_address_from_a_secret_file_counts_as_set() -> None:
    environ = {"DATABASE_URL_FILE": "/run/secrets/db", "REDIS_URL": "redis://r/0", "DEBUG": "0"}
    embedded.supply(environ)
    assert "DATABASE_URL" not in environ


def test_the_command_line_says_what_runs(home: Path) -> None:
    assert "PostgreSQL stopped, Redis stopped" in call(home, "status").stdout
    call(home, "start")
    found = embedded.status(home)
    assert f"PostgreSQL {found.postgres}, Redis {found.redis}" in call(home, "status").stdout
    assert "stopped" in call(home, "stop").stdout


def test_the_module_does_not_import_django() -> None:
    code = "import sys, core.embedded; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
