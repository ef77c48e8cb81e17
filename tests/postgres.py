"""A PostgreSQL server of the tests' own: on loopback, a free port, in a folder that goes away."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

USER, PASSWORD = "keeper_of_keys", "sesame-71c:a/b@d%"
URL = "postgresql://keeper_of_keys:sesame-71c%3Aa%2Fb%40d%25@127.0.0.1:{port}/{database}"


def program(name: str) -> str:
    """Find a program of the newest PostgreSQL that is installed, or skip the test."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        pytest.skip(f"PostgreSQL is not installed ({name}): apt-get install postgresql")
    return path


def unprivileged() -> dict:
    """Return options that make a child process run as somebody other than root."""
    if os.getuid() != 0:
        return {}
    import pwd

    names = [entry.pw_name for entry in pwd.getpwall()]
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def server() -> Iterator[int]:
    """Start a server that asks for a password, and yield its port."""
    initdb, postgres = program("initdb"), program("postgres")
    options = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="cohortlab-postgres-"))
    try:
        (folder / "password").write_text(PASSWORD)
        for path in (folder, folder / "password") if options else ():
            os.chown(path, options["user"], options["group"])
        make = [initdb, "--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        make += [f"--username={USER}", f"--pwfile={folder}/password", f"--pgdata={folder}/data"]
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **options)
        with _running(postgres, folder, options) as port:
            yield port
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _running(postgres: str, folder: Path, options: dict) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
    command = [postgres, "-D", f"{folder}/data", "-F"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **options)
    try:
        _await(process, port, folder / "log")
        yield port
    finally:
        process.kill() if process.poll() else process.send_signal(2)  # SIGINT: a fast shutdown
        process.wait(timeout=30)


def _await(process: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(URL.format(port=port, database="postgres")).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
