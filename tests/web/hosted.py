"""The hosted installation: two replicas behind the shipped nginx.conf with one PostgreSQL."""

import re
import shutil
import subprocess
from contextlib import ExitStack, contextmanager

import pytest

from tests.web.conftest import ROOT, dashboard, free_port, wait_for

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SECRET = "s" * 40
SIGNED_IN = {
    "X_Switchyard_Proxy_Secret": SECRET,
    "X_Forwarded_Email": "ada@example.com",
}


@contextmanager
def hosted(postgres_server, folder):
    """The address, and the two processes behind it."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    port = free_port()
    with ExitStack() as held:
        settings = {
            "SWITCHYARD_AUTH": "proxy",
            "SWITCHYARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SWITCHYARD_PROXY_SECRET": SECRET,
            "SWITCHYARD_EDITORS": "*",
            "SWITCHYARD_DATABASE_URL": held.enter_context(postgres_server.database()),
        }
        replicas = []
        for _ in range(2):
            metrics = free_port()
            own = settings | {"SWITCHYARD_METRICS": f"127.0.0.1:{metrics}"}
            replicas.append(held.enter_context(dashboard(**own)))
            replicas[-1].metrics = f"http://127.0.0.1:{metrics}"
        proxy = held.enter_context(nginx(port, replicas, folder))
        wait_for(proxy, f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}", replicas


@contextmanager
def nginx(port, replicas, folder):
    """The shipped configuration with addresses of this machine and without encryption."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    for n, replica in enumerate(replicas, 1):
        text = text.replace(f"switchyard-{n}:8501", replica.address.removeprefix("http://"))
    text = re.sub(r"listen 8443 ssl;", f"listen 127.0.0.1:{port};", text)
    text = re.sub(r"^ *ssl_.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("/tmp/", f"{folder}/")
    (folder / "nginx.conf").write_text(text)
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
