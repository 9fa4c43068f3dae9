#!/usr/bin/env python
"""Starts the embedded services where no URL is set, then runs a Django command."""

from __future__ import annotations

import os
import sys

try:
    from django.core.management import execute_from_command_line

    from core import embedded
except ModuleNotFoundError as error:
    sys.exit(f"{error}. Run `make setup` first, then `.venv/bin/python manage.py`.")

# They need no database, or (`up`) bring it up themselves.
QUIET = {"help", "version", "--help", "-h", "--version", "up"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    asked = set(sys.argv[1:2]) or {"help"}
    is_quiet = asked <= QUIET or "--help" in sys.argv
    try:
        embedded.supply(os.environ, launch=not is_quiet)
    except embedded.EmbeddedError as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
