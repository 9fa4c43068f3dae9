"""The simulated model as a process of its own."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.demo.simulator import MODEL, Simulator


class Command(BaseCommand):
    """Serves until Ctrl-C. It reads no database and calls no network."""

    help = "Serve the simulated, OpenAI-compatible model on loopback (demo and tests only)."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="0 takes a free port")

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        try:
            simulator = Simulator(port)
        except OverflowError as error:
            raise CommandError(f"--port must be 0 to 65535, not {port}") from error
        except OSError as error:
            raise CommandError(f"--port {port} cannot be taken: {error.strerror}") from error
        # The two lines that a person or a script needs to use it.
        self.stdout.write(f"OPENAI_BASE_URL={simulator.base_url}")
        self.stdout.write(f"JUDGE_MODEL={MODEL} OPTIMIZER_MODEL={MODEL} TASK_MODEL={MODEL}")
        self.stdout.flush()
        try:
            simulator.serve()
        except KeyboardInterrupt:
            self.stdout.write("The simulated model has stopped.")
