"""One visitor without a browser: opens the page, listens at its websocket, and presses buttons as a browser would."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from itertools import count
from typing import NamedTuple
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PICTURE_BYTES = 5_000  # a message of that size brings pictures; shorter ones are words and receipts
PATIENCE_S = 60.0
LARGEST = 50_000_000
TOKEN = re.compile(r'"token":\s*"([^"]+)"')
READY = {
    "kind": "MessageSent",
    "msg_type": "bokeh_event",
    "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
}


class Message(NamedTuple):
    """A message of Bokeh's protocol: its kind, its content, and how many bytes it took."""

    kind: str
    content: str
    size: int


class Visitor:
    """One open page. ``press`` changes the selector that has ``label`` among its buttons."""

    def __init__(self, address: str, label: str):
        self.address = address
        self.label = label
        self.socket: WebSocketClientConnection | None = None
        self._numbers = count()
        self._selector = ""
        self._labels: list[str] = []

    async def open(self) -> float:
        """Get the page, connect and find the selector; seconds until the first pictures were there."""
        began = time.perf_counter()
        client = AsyncHTTPClient(force_instance=True)
        answer = await client.fetch(HTTPRequest(self.address, request_timeout=PATIENCE_S))
        client.close()
        token = TOKEN.search(answer.body.decode())
        if token is None:
            raise RuntimeError("the page holds no token: is the instance full?")
        parts = urlsplit(self.address)
        headers = {
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Cookie": _cookies(answer.headers.get_list("Set-Cookie")),
        }
        path = parts.path if parts.path.endswith("/") else parts.path + "/"
        request = HTTPRequest(f"ws://{parts.netloc}{path}ws", headers=headers, connect_timeout=PATIENCE_S)
        self.socket = await websocket_connect(request, subprotocols=["bokeh", token[1]], max_message_size=LARGEST)
        await self._until("ACK")
        await self._send("PULL-DOC-REQ", {})
        document = json.loads((await self._until("PULL-DOC-REPLY")).content)
        self._selector, self._labels = find_selector(document, self.label)
        await self._send("PATCH-DOC", {"events": [READY]})
        return time.perf_counter() - began

    async def press(self, label: str) -> float:
        """Press a button; seconds until its pictures came."""
        began = time.perf_counter()
        change = {"kind": "ModelChanged", "model": {"id": self._selector}, "attr": "active"}
        await self._send("PATCH-DOC", {"events": [change | {"new": self._labels.index(label)}]})
        while (await self._until("PATCH-DOC", PATIENCE_S - (time.perf_counter() - began))).size < PICTURE_BYTES:
            pass
        return time.perf_counter() - began

    async def rest(self, seconds: float) -> None:
        """Wait, and read what comes meanwhile."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            try:
                await self._until("", left)
            except TimeoutError:
                return

    def close(self) -> None:
        """Leave."""
        if self.socket is not None:
            self.socket.close()

    async def _send(self, kind: str, content: dict) -> None:
        for part in ({"msgid": str(next(self._numbers)), "msgtype": kind}, {}, content):
            await self.socket.write_message(json.dumps(part))

    async def _until(self, kind: str, seconds: float = PATIENCE_S) -> Message:
        """The next message of that kind; TimeoutError, or ConnectionError if the server hangs up."""
        async with asyncio.timeout(max(seconds, 0.001)):
            while True:
                message = await self._message()
                if message.kind == "ERROR":
                    raise RuntimeError(message.content[:300])
                if message.kind == kind:
                    return message

    async def _message(self) -> Message:
        header = json.loads(await self._part())
        await self._part()
        content = await self._part()
        size = len(content)
        for _ in range(2 * header.get("num_buffers", 0)):
            size += len(await self._part())
        return Message(header["msgtype"], content, size)

    async def _part(self) -> str | bytes:
        part = await self.socket.read_message()
        if part is None:
            raise ConnectionError("the server closed the connection")
        return part


def find_selector(document: dict, label: str) -> tuple[str, list[str]]:
    """Identity and labels of the button group that has a button of that label."""
    for found in _objects(document):
        labels = found.get("attributes", {}).get("labels")
        if isinstance(labels, list) and label in labels:
            return found["id"], labels
    raise RuntimeError(f"the page has no button {label!r}")


def _objects(words: object) -> Iterator[dict]:
    """All models in a serialised document."""
    waiting = [words]
    while waiting:
        word = waiting.pop()
        if isinstance(word, dict):
            if word.get("type") == "object" and "id" in word:
                yield word
            waiting.extend(word.values())
        elif isinstance(word, list):
            waiting.extend(word)


def _cookies(lines: list[str]) -> str:
    jar = SimpleCookie()
    for line in lines:
        jar.load(line)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
