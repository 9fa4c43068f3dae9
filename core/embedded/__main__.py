"""`python -m core.embedded start|stop|status|erase`: the embedded services without Django."""

from __future__ import annotations

import argparse
import sys

from core import embedded


def run(verb: str) -> str:
    """Do it, and say in a line what is so now."""
    where = embedded.home()
    if verb == "start":
        return "\n".join(embedded.start(where))
    if verb == "stop":
        embedded.stop(where)
    elif verb == "erase":
        embedded.erase(where)
    found = embedded.status(where)
    return f"{where}: PostgreSQL {found.postgres or 'stopped'}, Redis {found.redis or 'stopped'}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.embedded", description=__doc__)
    parser.add_argument("verb", choices=["start", "stop", "status", "erase"])
    try:
        sys.stdout.write(run(parser.parse_args().verb) + "\n")
    except embedded.EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
