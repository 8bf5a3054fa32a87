"""A small bounded load generator: N clients send the same GET for some seconds and time every answer.

It runs in its own process, so that its work is not counted as the server's: `python -m cmms.bench.client URL …`.
"""

import json
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

TIMEOUT = 30


def fetch(host: str, port: int, request: bytes) -> tuple[int, int]:
    """One request on a connection of its own; (status, bytes of the body)."""
    with socket.create_connection((host, port), timeout=TIMEOUT) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), len(body)


def run(url: str, *, clients: int, seconds: float, headers: dict[str, str]) -> dict:
    """Requests per second, seconds of each answer, and how many were not 200."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    took: list[float] = []
    failed: list[int] = []
    size = [0]
    until = time.perf_counter() + seconds

    def client() -> None:
        while (begun := time.perf_counter()) < until:
            status, size[0] = fetch(parts.hostname, parts.port, request)
            took.append(time.perf_counter() - begun)
            if status != 200:
                failed.append(status)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rate": len(took) / (time.perf_counter() - begun), "took": took, "failed": failed[:3], "bytes": size[0]}


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    print(json.dumps(run(order["url"], clients=order["clients"], seconds=order["seconds"], headers=order["headers"])))
