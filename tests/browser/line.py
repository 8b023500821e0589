"""A line between a browser and a server that can fall silent, as that of a laptop which was shut."""

import socket
import threading
from contextlib import suppress

CHUNK = 65_536


class Line:
    """Passes bytes between ``port`` and ``server_port``; once silent, what is open stays open and nothing passes."""

    def __init__(self) -> None:
        self.server_port = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._dead: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """From now on nothing passes on the lines that are open; new ones work."""
        self._dead.update(self._open)

    def close(self) -> None:
        """End."""
        for each in (self.listener, *self._open):
            with suppress(OSError):
                each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
                self._open += [browser, server]
                for ends in ((browser, server), (server, browser)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if source not in self._dead:
                    target.sendall(data)
            if source not in self._dead:
                target.shutdown(socket.SHUT_WR)
