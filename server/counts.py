"""What is counted, for Prometheus; served on an address of its own, or not at all."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

REQUESTS = Counter("switchyard_requests", "Answered requests.", ["kind", "status"])
SECONDS = Histogram("switchyard_request_seconds", "Time to the first byte.", ["kind"])
REFUSED = Counter("switchyard_refused", "Requests that the guard refused.", ["reason"])
SOCKETS = Gauge("switchyard_sockets", "Open browser tabs.")
RUNS = Counter("switchyard_runs", "Runs of a page.")
LIMITED = Counter("switchyard_limited", "Acts refused by a user's quota.", ["quota"])
TURNED_AWAY = Counter("switchyard_turned_away", "Runs for somebody who may not enter.")
BROKEN = Counter("switchyard_page_errors", "Pages that broke, by error.", ["error"])
STORE = Gauge("switchyard_store_ready", "Whether the store answered when it was last asked.")


def serve(address: tuple[str, int]) -> None:
    """Serve the counts at a host and port, in a thread. Raises: OSError where it is taken."""
    host, port = address
    start_http_server(port, addr=host)
