"""Everything, in one process to stop: the embedded services, web, a Celery worker and beat."""

from __future__ import annotations

import os
import socket
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from rich.console import Console

from core import embedded
from core.embedded.folder import ROOT
from core.supervision import plan, record
from core.supervision.supervisor import Stopped, Supervisor

READY_SECONDS = 90


class Command(BaseCommand):
    help = (
        "Start web, worker, beat and (where no URL is set) PostgreSQL and Redis; Ctrl-C stops all."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--concurrency", type=int, default=2, help="processes of the worker")
        parser.add_argument("--demo", action="store_true", help="fill the demo world first")
        parser.add_argument("--stop", action="store_true", help="stop what is running, then end")
        parser.add_argument("--erase", action="store_true", help="--stop, then delete all data")

    def handle(self, *args: Any, **options: Any) -> None:
        home = embedded.home()
        console = Console()
        try:
            if options["stop"] or options["erase"]:
                _end(home, console, erase=options["erase"])
            else:
                with record.claimed(home):
                    _Run(home, console, options).whole()
        except record.AlreadyRunning as other:
            raise CommandError(
                f"Whetstone is already running at {other}. Stop it: python manage.py up --stop"
            ) from other
        except (embedded.EmbeddedError, plan.NoPort) as error:
            raise CommandError(str(error)) from error


class _Run:
    """One `up`, from the first start to the last stop."""

    def __init__(self, home: Path, console: Console, options: dict[str, Any]) -> None:
        self.home = home
        self.console = console
        self.options = options
        self.ours = _embedded_names(home)
        self.supervisor = Supervisor(
            home, environ=os.environ, services=self._services, say=self._say
        )

    def whole(self) -> None:
        self.supervisor.listen()
        try:
            self._start()
        except Stopped:
            pass
        finally:
            self._stop()

    def _start(self) -> None:
        with self.console.status("Starting PostgreSQL and Redis"):
            self._start_services()
        with plan.web_socket(self.options["host"], self.options["port"]) as listener:
            self._announce(listener)
            with self.console.status("Bringing the tables up to date"):
                _migrate()
            if self.options["demo"]:
                self._start_simulated_model()
            self.supervisor.add(plan.web(self.home, listener))
            if self.options["demo"]:
                self._fill_demo()
            self.supervisor.add(plan.worker(self.home, self.options["concurrency"]))
            self.supervisor.add(plan.model_worker(self.home))
            self.supervisor.add(plan.beat(self.home))
            self._wait()
            self.supervisor.run()

    def _start_services(self) -> None:
        found = self._services()
        os.environ.update(found)
        self.supervisor.environ.update(found)

    def _announce(self, listener: socket.socket) -> None:
        """The address, known before anything listens: links in what the demo makes need it."""
        url = plan.address(listener)
        port = listener.getsockname()[1]
        if port != self.options["port"]:
            self.console.print(f"Port {self.options['port']} is busy; taking {port}.")
        self.supervisor.url = url
        self.supervisor.environ.setdefault("PUBLIC_URL", url.rstrip("/"))

    def _fill_demo(self) -> None:
        """Before the worker starts: the demo does the worker's part itself, at its own pace."""
        if "demo" in get_commands():
            code = self.supervisor.step([sys.executable, "manage.py", "demo"], ROOT)
            if code:
                raise CommandError(f"The demo world could not be filled (exit code {code}).")

    def _start_simulated_model(self) -> None:
        """Only where the person has not set up a real one."""
        environ = self.supervisor.environ
        is_set = environ.get("OPENAI_BASE_URL") or environ.get("OPENAI_API_KEY")
        if is_set or "simulated_model" not in get_commands():
            return
        port = plan.free_port()
        plan.use_simulated_model(environ, port)
        child = self.supervisor.add(plan.simulated_model(self.home, port))
        if not self.supervisor.wait_for(lambda: plan.accepts(port), seconds=READY_SECONDS):
            raise CommandError(f"The simulated model did not start. {child.last_word()}")

    def _wait(self) -> None:
        url = self.supervisor.url
        with self.console.status("Starting web, worker and beat"):
            ready = self.supervisor.wait_for(
                lambda: plan.answers(f"{url}readyz"), seconds=READY_SECONDS
            )
        if not ready:
            self.console.print(f"Web does not answer yet; see {self.home / 'log' / 'web.log'}")
        self.console.print(
            f"\nWhetstone: [bold]{url}[/]   (logs: {self.home / 'log'}, stop: Ctrl-C)"
        )

    def _services(self) -> dict[str, str]:
        began = time.monotonic()
        fallen = embedded.fallen(self.home, self.ours)
        found = embedded.serve(self.home, self.ours)
        if fallen and self.supervisor.children:
            seconds = time.monotonic() - began
            self._say(f"{' and '.join(fallen)} had ended; running again after {seconds:.1f} s.")
        return found

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False)

    def _stop(self) -> None:
        with self.console.status("Stopping"):
            self.supervisor.stop()
            if self.ours:
                embedded.stop(self.home)
        self.console.print("Stopped.")


def _embedded_names(home: Path) -> list[str]:
    """Which services are ours: `manage.py` fills in their addresses where none was set."""
    found = embedded.addresses(home)._asdict()
    return [name.upper() for name, url in found.items() if os.environ.get(name.upper()) == url]


def _migrate() -> None:
    try:
        call_command("migrate", verbosity=0)
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error}") from error
    finally:
        connections.close_all()  # this process lives long and asks nothing more


def _end(home: Path, console: Console, *, erase: bool) -> None:
    with console.status("Stopping"):
        was_running = record.end_supervisor(home)
        if erase:
            embedded.erase(home)
        else:
            embedded.stop(home)
    console.print("Stopped." if was_running else "Nothing was running; left-overs are ended.")
    if erase:
        console.print(f"The embedded data in {home} is deleted.")
