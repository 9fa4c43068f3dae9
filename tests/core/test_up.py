"""`up`: one process that keeps the others running, and takes them all down with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core import embedded
from core.supervision import plan, record
from core.supervision.child import Child
from core.supervision.supervisor import Stopped, Supervisor

ROOT = Path(__file__).resolve().parents[2]
HEAL_SECONDS = 30
BUSY = 18500


@pytest.fixture
def home() -> Iterator[Path]:
    where = Path(tempfile.mkdtemp(prefix="whetstone-test-"))
    yield where
    embedded.stop(where)
    shutil.rmtree(where)


def until(true: Callable[[], bool], seconds: float = HEAL_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def sleeper(home: Path, name: str = "sleeper", code: str = "import time; time.sleep(99)") -> Child:
    return Child(name, [sys.executable, "-c", code], ROOT, home / "log" / f"{name}.log")


def supervisor(home: Path, said: list[str] | None = None) -> Supervisor:
    lines = said if said is not None else []
    return Supervisor(home, environ=os.environ, services=dict, say=lines.append)


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


# The supervisor alone, with small children


def test_a_killed_child_comes_back_and_it_is_said(home: Path) -> None:
    said: list[str] = []
    overseer = supervisor(home, said)
    child = overseer.add(sleeper(home))
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    assert overseer.wait_for(lambda: is_another(child, first), seconds=HEAL_SECONDS)
    overseer.stop()
    assert said[0].startswith("sleeper ended (signal 9); starting it again in 0.5 s.")


def is_another(child: Child, first: int) -> bool:
    return child.process is not None and child.process.pid != first


def test_what_a_dead_child_started_dies_with_it(home: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
        "print(grandchild.pid, flush=True)\n"
        "time.sleep(99)"
    )
    overseer = supervisor(home)
    child = overseer.add(sleeper(home, "parent", code))
    until(lambda: (home / "log" / "parent.log").read_text().strip().isdigit())
    grandchild = int((home / "log" / "parent.log").read_text())
    assert child.process is not None
    os.kill(child.process.pid, signal.SIGKILL)
    until(lambda: bool(child.look()))
    until(lambda: not runs(grandchild))
    overseer.stop()


def test_a_child_that_dies_at_once_is_started_ever_more_slowly(home: Path) -> None:
    said: list[str] = []
    overseer = supervisor(home, said)
    overseer.add(sleeper(home, "broken", "raise SystemExit('no such table')"))
    overseer.wait_for(lambda: len(said) == 3, seconds=HEAL_SECONDS)
    overseer.stop()
    assert [line.split("again in ")[1].split(" s")[0] for line in said] == ["0.5", "1", "2"]
    assert "It last said: no such table" in said[0]


def test_stop_ends_a_child_that_does_not_listen(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.supervision.supervisor.GRACE", 0.5)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True)"
    overseer = supervisor(home)
    child = overseer.add(sleeper(home, "deaf", f"{code}; time.sleep(99)"))
    until(lambda: "deaf" in (home / "log" / "deaf.log").read_text())
    overseer.stop()
    assert child.is_gone()


def test_a_step_ends_when_we_are_asked_to_stop(home: Path) -> None:
    overseer = supervisor(home)
    overseer.is_stopping = True
    with pytest.raises(Stopped):
        overseer.step([sys.executable, "-c", "import time; time.sleep(99)"], ROOT)


def test_a_step_gives_its_exit_code(home: Path) -> None:
    assert supervisor(home).step([sys.executable, "-c", "raise SystemExit(3)"], ROOT) == 3


def test_children_start_again_with_new_addresses(home: Path) -> None:
    addresses = {"REDIS_URL": "redis://one"}
    overseer = Supervisor(
        home, environ=os.environ, services=lambda: addresses, say=lambda line: None
    )
    code = "import os, time; print(os.environ['REDIS_URL'], flush=True); time.sleep(99)"
    overseer.look()
    overseer.add(sleeper(home, "reader", code))
    log = home / "log" / "reader.log"
    until(lambda: "redis://one" in log.read_text())
    addresses["REDIS_URL"] = "redis://two"
    overseer.wait_for(lambda: "redis://two" in log.read_text(), seconds=HEAL_SECONDS)
    overseer.stop()


def test_a_service_that_cannot_start_is_said_once(home: Path) -> None:
    said: list[str] = []

    def fail() -> dict[str, str]:
        raise embedded.EmbeddedError("the disk is full")

    overseer = Supervisor(home, environ={}, services=fail, say=said.append)
    overseer.wait_for(lambda: False, seconds=2.5)
    assert said == ["the disk is full"]


def test_two_supervisors_cannot_have_the_same_home(home: Path) -> None:
    with record.claimed(home):
        record.write(home, record.Record(os.getpid(), "http://there/", {}))
        with pytest.raises(record.AlreadyRunning, match="http://there/"), record.claimed(home):
            pass
    assert not record.is_claimed(home)


def test_what_a_killed_supervisor_left_running_is_ended(home: Path) -> None:
    overseer = supervisor(home)
    child = overseer.add(sleeper(home))
    assert child.process is not None
    with record.claimed(home):
        child.process.wait(HEAL_SECONDS)
    assert child.process.returncode == -signal.SIGKILL


def test_a_strangers_process_id_is_left_alone(home: Path) -> None:
    overseer = supervisor(home)
    child = overseer.add(sleeper(home))
    assert child.process is not None
    record.write(home, record.Record(1, "", {"old": (child.process.pid, 1.0)}))
    record.end_left_over(home)
    assert child.process.poll() is None
    overseer.stop()


def test_a_record_that_was_cut_off_is_no_obstacle(home: Path) -> None:
    (home / "up.json").write_text('{"pid": 12')
    assert record.read(home) == record.Record()


def test_a_busy_port_gives_the_next(home: Path) -> None:
    with plan.web_socket("127.0.0.1", 18300) as first:
        port = first.getsockname()[1]
        with plan.web_socket("127.0.0.1", port) as second:
            assert second.getsockname()[1] > port


def test_a_host_that_is_not_ours_is_said_in_a_sentence() -> None:
    with pytest.raises(plan.NoPort, match=r"Nothing can listen on 192\.0\.2\.1:18300"):
        plan.web_socket("192.0.2.1", 18300)


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")]
)
def test_the_address_is_one_to_type_in(host: str, expected: str) -> None:
    with plan.web_socket(host, 18350) as listener:
        port = listener.getsockname()[1]
        assert plan.address(listener) == f"http://{expected}:{port}/"


# The whole: `manage.py up` as people run it


class Up:
    """A running `manage.py up` on a home of its own."""

    def __init__(self, home: Path, port: int = 18400) -> None:
        self.home = home
        self.output = (home / "output").open("w+")
        urls = {"DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER"}
        environ = {name: value for name, value in os.environ.items() if name not in urls}
        self.environ = environ | {"WHETSTONE_HOME": str(home), "WHETSTONE_THROWAWAY": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=ROOT,
            env=self.environ,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        return (self.home / "output").read_text()

    def url(self) -> str:
        return record.read(self.home).url

    def pid(self, name: str) -> int:
        return record.read(self.home).children[name][0]

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.output.close()
        embedded.stop(self.home)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    where = Path(tempfile.mkdtemp(prefix="whetstone-test-"))
    with plan.web_socket("127.0.0.1", BUSY):
        running = Up(where, BUSY)
        try:
            until(lambda: "Whetstone: " in running.said() or is_over(running), 120)
            assert not is_over(running), running.said()
            yield running
        finally:
            running.close()
            shutil.rmtree(where)


def is_over(up: Up) -> bool:
    return up.process.poll() is not None


def test_up_reaches_a_page_that_answers(up: Up) -> None:
    until(lambda: plan.answers(f"{up.url()}readyz"))


@pytest.mark.parametrize("name", ["web", "worker", "model worker", "beat"])
def test_a_killed_process_is_back_within_seconds(up: Up, name: str) -> None:
    before = up.pid(name)
    os.kill(before, signal.SIGKILL)
    until(lambda: up.pid(name) != before and runs(up.pid(name)))
    until(lambda: plan.answers(f"{up.url()}readyz"))


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_a_killed_service_is_back_within_seconds(up: Up, service: str) -> None:
    before = getattr(embedded.status(up.home), service)
    os.kill(before, signal.SIGKILL)
    until(lambda: getattr(embedded.status(up.home), service) not in {None, before})
    until(lambda: plan.answers(f"{up.url()}readyz"))


def test_a_busy_port_was_said_and_another_taken(up: Up) -> None:
    assert f"Port {BUSY} is busy; taking " in up.said()
    assert f":{BUSY}/" not in up.url()


def test_a_second_up_says_where_the_first_one_is(up: Up) -> None:
    second = up.call("up")
    assert second.returncode == 1
    assert f"already running at {up.url()}" in second.stderr


def test_sigterm_stops_all_of_it(home: Path) -> None:
    running = Up(home)
    until(lambda: "beat" in record.read(home).children, 120)
    family = running.family()
    running.process.terminate()
    assert running.process.wait(60) == 0, running.said()
    assert [process for process in family if runs(process.pid)] == []
    assert embedded.status(home) == (None, None)
    assert not (home / "up.json").exists()
    running.close()


def test_erase_ends_what_a_killed_up_left_running_and_deletes_the_data(home: Path) -> None:
    running = Up(home)
    until(lambda: "beat" in record.read(home).children, 120)
    family = running.family()
    running.process.kill()
    running.process.wait()
    assert record.read(home).children.keys() == {"web", "worker", "model worker", "beat"}
    assert running.call("up", "--erase").returncode == 0
    until(lambda: not [process for process in family if runs(process.pid)])
    assert embedded.status(home) == (None, None)
    assert not (home / "postgres").exists()
    assert not (home / "redis").exists()
    running.close()
