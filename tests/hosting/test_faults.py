"""What goes wrong around a server: tables that change, visitors who vanish, a signal in the middle of things."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from benchmarks.ports import free_port
from tests import loops
from tests.conftest import write_small_survey
from tests.hosting.conftest import PING_S, ROOM, addresses_of_tables, number, put, wait_until
from tests.hosting.visitors import MASSES, Visitor

pytestmark = pytest.mark.slow


def test_a_replaced_table_is_picked_up_while_open_pages_keep_theirs(server, folder, tmp_path):
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


@pytest.mark.parametrize("harm", [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    lambda path: path.write_bytes(b""),
], ids=["deleted", "cut short", "emptied"])  # fmt: skip
def test_a_table_that_is_harmed_is_named_and_one_that_is_back_is_shown(server, folder, small_survey, harm):
    harm(folder / "regions.parquet")
    assert "regions.parquet" in server.get("/app").text
    wait_until(lambda: server.get("/readiness").status_code == 503)
    assert server.get("/liveness").status_code == 200
    put(small_survey, folder)
    wait_until(lambda: server.get("/readiness").status_code == 200)
    assert "seed 5" in server.get("/app").text


def test_visitors_beyond_the_limit_are_asked_to_wait_and_let_in_when_there_is_room(server):
    async def fill() -> list[requests.Response]:
        visitors = [Visitor(server.root + "/app", MASSES[0]) for _ in range(ROOM)]
        for visitor in visitors:
            await visitor.open()
        refused = [await asyncio.to_thread(server.get, "/app") for _ in range(2 * ROOM)]
        for visitor in visitors:
            await visitor.leave()
        return refused

    before = number(server, "glocal_refused_total")
    refused = loops.run(fill())
    assert {answer.status_code for answer in refused} == {503}
    assert 'http-equiv="refresh"' in refused[0].text
    assert int(refused[0].headers["Retry-After"]) > 0
    assert number(server, "glocal_refused_total") == before + 2 * ROOM
    wait_until(lambda: number(server, "glocal_sessions") == 0)  # those who wait take no room themselves
    assert "seed 5" in server.get("/app").text


def test_visitors_who_vanish_in_the_middle_leave_a_server_that_works(server):
    async def vanish() -> None:
        for _ in range(ROOM):
            visitor = Visitor(server.root + "/app", MASSES[0])
            await visitor.open()
            await visitor._send("PATCH-DOC", {"events": []})
            visitor.socket.protocol.stream.close()  # no goodbye
            visitor.close()  # for our side only: the line is gone

    loops.run(vanish())
    wait_until(lambda: number(server, "glocal_sessions") == 0)
    assert "seed 5" in server.get("/app").text


def test_a_visitor_who_does_not_answer_any_more_is_let_go(server):
    """As a laptop that was shut: its line is open for all anybody can tell."""

    async def fall_asleep() -> float:
        visitor = Visitor(server.root + "/app", MASSES[0])
        await visitor.open()
        visitor.socket.protocol._receive_frame = lambda: asyncio.sleep(3600)  # reads nothing, answers no ping
        began = time.monotonic()
        assert await asyncio.to_thread(number, server, "glocal_connections") == 1
        while await asyncio.to_thread(number, server, "glocal_connections"):
            await asyncio.sleep(0.5)
        waited = time.monotonic() - began
        visitor.socket.protocol.stream.close()
        visitor.close()
        return waited

    assert loops.run(fall_asleep()) < 8 * PING_S
    wait_until(lambda: number(server, "glocal_sessions") == 0)


def test_nonsense_on_a_socket_closes_that_socket_only(server):
    async def shout() -> None:
        visitor = Visitor(server.root + "/app", MASSES[0])
        await visitor.open()
        await visitor.socket.write_message("{" * 1000)
        await visitor.socket.write_message("x" * 2_000_000)  # more than a message may have
        with pytest.raises((ConnectionError, RuntimeError)):
            await visitor._until("nothing of this kind", 60)
        visitor.close()

    loops.run(shout())
    assert server.get("/liveness").status_code == 200


def test_a_foreign_host_name_is_a_sentence_and_not_a_page(server):
    answer = server.get("/app", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert "own machine only" in answer.text


def test_a_stop_in_the_middle_of_tables_cuts_none_off_and_takes_no_others(serve, small_survey):
    """Three are asked for, one is made at a time: the signal comes while two are still waiting."""
    server = serve(small_survey)
    path = next(p for p in addresses_of_tables(server, "log_M_star=11..") if p.endswith(".vot"))
    assert requests.get(path, timeout=120).status_code == 200  # what tables need is loaded now
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(requests.get, path, timeout=120) for _ in range(3)]
        wait_until(lambda: number(server, "glocal_jobs") >= 2)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.get("/readiness").status_code == 503, 10)
        late = requests.get(path, timeout=60)
        answers = [answer.result() for answer in asked]
    assert late.status_code == 503
    assert "being restarted" in late.text
    assert "Retry-After" in late.headers
    whole = [answer for answer in answers if answer.status_code == 200]
    assert whole
    assert all(answer.content.rstrip().endswith(b"</VOTABLE>") for answer in whole)
    refused = [answer for answer in answers if answer not in whole]  # on a slow machine: what had not begun after 20 s
    assert all(answer.status_code == 503 and "being restarted" in answer.text for answer in refused)
    assert server.process.wait(60) == 0
    assert "Traceback" not in server.log


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
