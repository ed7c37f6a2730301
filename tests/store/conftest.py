"""Stores to test on: a new SQLite file, or a new database of a PostgreSQL server started here."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from planner.store.store import Store


class PostgresServer:
    """Debian's PostgreSQL on a Unix socket in a folder of its own; root hands it to `postgres`."""

    def __init__(self, programs: Path):
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="switchyard-postgres-"))
        self.as_user = {}
        self.emptied = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self.initdb()
        self.start()

    def initdb(self):
        command = ["initdb", "--pgdata", "data", "--auth", "trust", "--username", "switchyard"]
        command += ["--encoding", "UTF8", "--no-locale", "--no-sync"]
        self.run(command, stdout=subprocess.DEVNULL).check_returncode()

    def run(self, command, **options):
        command = [str(self.programs / command[0]), *command[1:]]
        return subprocess.run(command, cwd=self.folder, check=False, **options, **self.as_user)

    def start(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off"}
        command = [str(self.programs / "postgres"), "-D", "data"]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, **self.as_user
            )
        deadline = time.monotonic() + 30
        while self.run(["pg_isready", "-q", "-h", str(self.folder)]).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.process.wait(30)

    def remove(self):
        if self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    @contextmanager
    def database(self):
        """The address of an empty database, emptied again for the next who asks."""
        address = self.emptied.pop() if self.emptied else self.new_database()
        yield address
        with psycopg.connect(address.replace("+psycopg", "")) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        self.emptied.append(address)

    def new_database(self):
        name = f"test_{secrets.token_hex(4)}"
        create = ["createdb", "-h", str(self.folder), "-U", "switchyard", name]
        self.run(create).check_returncode()
        return f"postgresql+psycopg://switchyard@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres_server():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL server under /usr/lib/postgresql")
    server = PostgresServer(found[-1].parent)
    yield server
    server.remove()


@pytest.fixture
def postgres_address(postgres_server):
    """The address of an empty PostgreSQL database."""
    with postgres_server.database() as address:
        yield address


@pytest.fixture
def sqlite_address(tmp_path):
    """The address of an SQLite file that is not there yet, nor is its folder."""
    return f"sqlite:///{tmp_path / 'a folder' / 'switchyard.sqlite'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def address(request):
    """The address of an empty database of either kind."""
    return request.getfixturevalue(f"{request.param}_address")


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    """A data folder of the test's own, so that none writes into the user's."""
    monkeypatch.setenv("SWITCHYARD_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def opened_stores():
    """Opens stores that are closed when the test ends."""
    stores = []

    def open_store(address=None):
        stores.append(Store(address))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(address, opened_stores):
    return opened_stores(address)
