"""What goes wrong around a server: tables that change, visitors who vanish, a signal in the middle of things."""

import asyncio
import html
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from tests import loops
from tests.conftest import write_small_survey
from tests.hosting.conftest import free_port
from tests.hosting.visitors import MASSES, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_survey):
    return shutil.copytree(small_survey, tmp_path_factory.mktemp("faults") / "survey")


@pytest.fixture(scope="module")
def server(serve, folder):
    return serve(folder, sessions=3, keep_session_s=1)


def wait_until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def put(source, folder) -> None:
    """Replace the tables of a survey as `glocal` does: whole, by other files of the same names."""
    for name in ("regions.parquet", "galaxies.parquet"):
        shutil.copy(source / name, folder / f".{name}")
        (folder / f".{name}").replace(folder / name)


def test_a_replaced_table_is_picked_up_while_open_pages_keep_theirs(server, folder, tmp_path, small_survey):
    write_small_survey(tmp_path, seed=77)

    async def meeting() -> None:
        early = Visitor(server.root + "/app", MASSES[0])
        await early.open()
        put(tmp_path, folder)
        assert await early.press(MASSES[0]) > 0
        assert await early.press(MASSES[1]) > 0
        await early.leave()

    assert "seed 5" in server.get("/app").text
    loops.run(meeting())
    assert "seed 77" in server.get("/app").text
    put(small_survey, folder)
    wait_until(lambda: "seed 5" in server.get("/app").text)


@pytest.mark.parametrize("harm", [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    lambda path: path.write_bytes(b""),
], ids=["deleted", "cut short", "emptied"])  # fmt: skip
def test_a_table_that_is_harmed_is_named_and_one_that_is_back_is_shown(server, folder, small_survey, harm):
    harm(folder / "regions.parquet")
    answer = server.get("/app")
    assert "regions.parquet" in answer.text
    wait_until(lambda: server.get("/readiness").status_code == 503)
    assert server.get("/liveness").status_code == 200
    put(small_survey, folder)
    wait_until(lambda: server.get("/readiness").status_code == 200)
    assert "seed 5" in server.get("/app").text


def test_visitors_beyond_the_limit_are_asked_to_wait_and_let_in_when_there_is_room(server):
    wait_until(lambda: "asks again by itself" not in server.get("/app").text)

    async def fill() -> str:
        visitors = [Visitor(server.root + "/app", MASSES[0]) for _ in range(3)]
        await asyncio.sleep(12)  # the pages of other tests go
        for visitor in visitors:
            await visitor.open()
        text = await asyncio.to_thread(lambda: server.get("/app").text)
        for visitor in visitors:
            await visitor.leave()
        return text

    text = loops.run(fill())
    assert "asks again by itself" in text
    assert 'http-equiv="refresh"' in text
    wait_until(lambda: "asks again by itself" not in server.get("/app").text)


def test_visitors_who_vanish_in_the_middle_leave_a_server_that_works(server):
    async def vanish() -> None:
        for _ in range(3):
            visitor = Visitor(server.root + "/app", MASSES[0])
            await visitor.open()
            await visitor._send("PATCH-DOC", {"events": []})
            visitor.socket.protocol.stream.close()  # no goodbye
            visitor.close()  # for our side only: the line is gone

    wait_until(lambda: "asks again by itself" not in server.get("/app").text)
    time.sleep(12)
    loops.run(vanish())
    time.sleep(12)
    assert "seed 5" in server.get("/app").text


def test_nonsense_on_a_socket_closes_that_socket_only(server):
    async def shout() -> None:
        visitor = Visitor(server.root + "/app", MASSES[0])
        await visitor.open()
        await visitor.socket.write_message("{" * 1000)
        await visitor.socket.write_message("x" * 2_000_000)  # more than a message may have
        with pytest.raises((ConnectionError, RuntimeError)):
            await visitor._until("nothing of this kind", 60)

    loops.run(shout())
    assert server.get("/liveness").status_code == 200


def test_many_connections_that_say_nothing_keep_nobody_out(server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(300)]
    for connection in silent[:100]:
        connection.sendall(b"GET /app HTTP/1.1\r\nHost: x")
    began = time.monotonic()
    assert server.get("/liveness").status_code == 200
    assert time.monotonic() - began < 20
    for connection in silent:
        connection.close()


def test_a_foreign_host_name_is_a_sentence_and_not_a_page(server):
    answer = server.get("/app", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert "own machine only" in answer.text


def test_a_stop_in_the_middle_of_a_table_finishes_it_first(serve, small_survey):
    server = serve(small_survey)
    text = server.get("/views").text
    path = next(html.unescape(p.split('"')[0]) for p in text.split('value="')[1:] if "/tables/" in p.split('"')[0])
    answers: list[requests.Response] = []
    fetch = threading.Thread(target=lambda: answers.append(requests.get(path, timeout=120)))
    fetch.start()
    wait_until(lambda: "glocal_jobs 1.0" in server.get("/metrics").text or answers)
    server.process.send_signal(signal.SIGTERM)
    fetch.join(120)
    assert server.process.wait(60) == 0
    assert answers
    assert answers[0].status_code == 200
    assert answers[0].content.rstrip().endswith(b"</VOTABLE>")


def test_the_command_becomes_the_server_and_a_signal_ends_it(small_survey, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "precompute", "serve", str(small_survey), "--port", str(port)]
    environment = os.environ | {"GLOCAL_STATE": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            lines = [process.stdout.readline() for _ in range(3)]
            assert f"Glocal is at  http://127.0.0.1:{port}" in "".join(lines)
            assert requests.get(f"http://127.0.0.1:{port}/readiness", timeout=60).json() == {"ready": True}
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
