"""Ports for servers that benchmarks and tests start."""

import secrets
import socket

# Below those that systems give to outgoing connections: one of them could take a port between the look and the start
FIRST, STOP = 15_000, 30_000


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    while True:
        port = FIRST + secrets.randbelow(STOP - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
