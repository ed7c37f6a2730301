"""Servers that the audit is tried on: PostgreSQL, and a Spark master with one worker."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.demand.engines import three_hours
from tests.store.conftest import postgres_address, postgres_server

__all__ = ["postgres_address", "postgres_server"]


BRIEF = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""What suits a Java that lives for seconds on two cores."""


class SparkCluster:
    """A standalone master and worker on free ports of loopback."""

    def __init__(self, folder: Path):
        pyspark = pytest.importorskip("pyspark")
        home = Path(pyspark.__file__).parent
        self.folder = folder
        conf = folder / "conf"
        conf.mkdir()
        # Spark's defaults are meant for large data: pieces by the hundred, code compiled at length.
        (conf / "spark-defaults.conf").write_text(
            "spark.sql.shuffle.partitions 1\nspark.sql.codegen.wholeStage false\n"
            "spark.sql.codegen.factoryMode NO_CODEGEN\nspark.sql.adaptive.enabled false\n"
            f"spark.driver.extraJavaOptions {BRIEF}\nspark.executor.extraJavaOptions {BRIEF}\n"
        )
        self.env = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(conf),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_JAVA_OPTS": BRIEF,
            "SPARK_LAUNCHER_OPTS": BRIEF,
        }
        self.program = home / "bin" / "spark-class"
        self.processes = []
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        self.address = f"spark://127.0.0.1:{port}"
        here = ["--host", "127.0.0.1", "--webui-port", "0"]
        self.start("master.Master", *here, "--port", str(port), says="I have been elected leader")
        cores = ["--cores", "2", "--memory", "1g", "--work-dir", str(folder)]
        self.start("worker.Worker", *here, *cores, self.address, says="registered with master")

    def start(self, name, *arguments, says):
        log = self.folder / f"{name}.log"
        with log.open("wb") as written:
            process = subprocess.Popen(
                [self.program, f"org.apache.spark.deploy.{name}", *arguments],
                env=self.env,
                stdout=written,
                stderr=written,
            )
        self.processes.append(process)
        deadline = time.monotonic() + 90
        while says not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory):
    """The address of a real Prometheus that holds three hours of two engines."""
    server = three_hours(tmp_path_factory.mktemp("prometheus"))
    yield server.address
    server.stop()


@pytest.fixture(scope="session")
def spark_cluster(tmp_path_factory):
    """The address of a real Spark master with a worker."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Spark")
    cluster = SparkCluster(tmp_path_factory.mktemp("spark"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", cluster.env["SPARK_CONF_DIR"])
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        yield cluster.address
    cluster.stop()
