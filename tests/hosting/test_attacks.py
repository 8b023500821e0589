"""Who means harm: floods, lines that trickle, files that are not taken, bombs, forged sessions, paths in parameters."""

import asyncio
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest
import requests
from bokeh.util.token import generate_jwt_token, generate_session_id

from app.server import secret
from app.settings import Settings
from tests import loops
from tests.hosting.conftest import Server
from tests.hosting.visitors import MASSES, Visitor

pytestmark = pytest.mark.slow
LINES = 2000
TRICKLING = 200
SMALL, ALL = "log_M_star=10.3..", "page=relations"  # views with half of the regions, and with all
COMPARED = {"types", "plane"}  # words that are only compared with what the table and the page have
ELSEWHERE = "../../../../../../etc/passwd"


@contextmanager
def lines(port: int, n: int) -> Iterator[list[socket.socket]]:
    """Connections to a server that are closed in the end."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(n)]


@contextmanager
def trickling(sockets: list[socket.socket], words: bytes) -> Iterator[None]:
    """Each sends a byte twice a second meanwhile."""
    ended = threading.Event()

    def send() -> None:
        for place in range(len(words)):
            for one in sockets:
                one.send(words[place : place + 1])
            if ended.wait(0.5):
                return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_thousands_of_lines_that_say_nothing_or_trickle_keep_nobody_out(server):
    """An honest visitor opens the page and presses buttons meanwhile."""

    async def honest() -> float:
        visitor = Visitor(server.root + "/app", MASSES[0])
        await visitor.open()
        waited = max([await visitor.press(label) for label in MASSES * 2])
        await visitor.leave()
        return waited

    told = len(server.log)
    with (
        lines(server.port, LINES) as opened,
        trickling(opened[:TRICKLING], b"POST /login HTTP/1.1\r\nHost: localhost\r\n"),
    ):
        assert loops.run(honest()) < 20  # on a busy machine; a flood that blocks the server would take for ever
    assert server.get("/liveness").status_code == 200
    assert "Traceback" not in server.log[told:]


ENDLESS = {
    "body": (b"POST /views HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", 30),
    "head": (b"GET /app HTTP/1.1\r\n", 120),
    "nothing": (b"", 120),
}  # what is sent, and after how many seconds the server hangs up


@pytest.mark.long
def test_requests_that_do_not_end_are_cut_off_in_time(server):
    """However their bytes trickle; all at the same time, for the two minutes are spent in waiting."""
    with lines(server.port, len(ENDLESS)) as opened, ThreadPoolExecutor(len(ENDLESS)) as threads:
        waits = threads.map(seconds_until_cut_off, opened, (words for words, _ in ENDLESS.values()))
        for (name, (_, lasts_s)), waited in zip(ENDLESS.items(), waits, strict=True):
            assert lasts_s - 5 < waited < lasts_s + 15, name


def seconds_until_cut_off(line: socket.socket, words: bytes) -> float:
    """Send words and a byte every two seconds; how long the server listens."""
    line.sendall(words)
    line.settimeout(2)
    began = time.monotonic()
    while time.monotonic() - began < 150:
        try:
            if words:
                line.send(b"x")
            if not line.recv(1000):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - began


def test_pages_that_are_read_slowly_hold_up_nobody(server):
    """Two hundred ask for the largest script and read nothing of it."""
    ask = b"GET /static/js/bokeh.min.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with lines(server.port, TRICKLING) as opened:
        for line in opened:
            line.sendall(ask)
        began = time.monotonic()
        assert server.get("/app").status_code == 200
        assert time.monotonic() - began < 20


def test_packed_bodies_and_messages_are_not_unpacked(server):
    """Ten megabytes of nothing in ten kilobytes."""
    bomb = zlib.compress(b"\0" * 10_000_000)
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    assert requests.post(server.root + "/views", data=bomb, headers=packed, timeout=60).status_code == 400
    offered = socket_headers("x") | {"Sec-WebSocket-Extensions": "permessage-deflate", "Origin": server.root}
    answer = requests.get(server.root + "/app/ws", headers=offered, timeout=60, stream=True)
    assert "Sec-WebSocket-Extensions" not in answer.headers
    answer.close()


def socket_headers(token: str) -> dict[str, str]:
    return {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": f"bokeh, {token}",
    }  # fmt: skip


@pytest.mark.parametrize(("key", "lasts_s"), [("our", 300), ("our", -3600), ("another", 300)])
def test_a_page_is_reached_by_a_token_of_ours_that_has_not_expired_and_by_no_other(server, key, lasts_s):
    state = next(path for path in server.log_file.parent.iterdir() if path.name == "state")
    secret._secret.cache_clear()
    words = {"our": secret.derived(Settings(state=state), "sessions"), "another": "x" * 64}[key].encode()
    token = generate_jwt_token(generate_session_id(words, True), words, True, expiration=lasts_s)
    before = server.log
    assert loops.run(connects(server, token)) == (key == "our" and lasts_s > 0)
    assert "Traceback" not in server.log.removeprefix(before)


def test_a_token_that_cannot_be_read_is_a_line_in_the_log_and_no_traceback(server):
    before = server.log
    assert not loops.run(connects(server, "no-token"))
    assert server.wrote("a line was refused")
    assert "Traceback" not in server.log.removeprefix(before)


async def connects(server: Server, token: str) -> bool:
    """Whether a websocket with that token is taken for a page."""
    from tornado.httpclient import HTTPClientError, HTTPRequest
    from tornado.websocket import websocket_connect

    request = HTTPRequest(f"ws://127.0.0.1:{server.port}/app/ws", headers={"Origin": server.root}, request_timeout=30)
    try:
        line = await websocket_connect(request, subprotocols=["bokeh", token])
    except HTTPClientError:
        return False
    first = await asyncio.wait_for(line.read_message(), 30)
    line.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while first is not None and await line.read_message() is not None:
                pass
    return first is not None and "ACK" in first


@pytest.mark.parametrize("words", [
    {"act": "remove", "view_id": ELSEWHERE}, {"act": ELSEWHERE},
    {"act": "save", "name": ELSEWHERE, "view": f"page={ELSEWHERE}"},
], ids=["number", "act", "name"])  # fmt: skip
def test_paths_in_forms_are_words_too(server, words):
    answer = requests.post(server.root + "/views", data=words, timeout=60)
    assert answer.status_code in (200, 400)
    assert "root:" not in answer.text
