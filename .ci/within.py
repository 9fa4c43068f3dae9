"""Run a command, for so many seconds at most: `python .ci/within.py SECONDS COMMAND...`."""

from __future__ import annotations

import signal
import subprocess
import sys


def main() -> int:
    seconds, command = float(sys.argv[1]), sys.argv[2:]
    with subprocess.Popen(command) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"Stopped: it took longer than {seconds / 60:.0f} minutes.\n")
            process.send_signal(signal.SIGINT)  # pytest then reports, and stops its servers
        except KeyboardInterrupt:
            pass  # the command heard it too
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
    return 1


if __name__ == "__main__":
    sys.exit(main())
