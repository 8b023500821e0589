"""Two processes behind nginx, configured as in docs/hosting: visitors stay on theirs, and a death is survived."""

import asyncio
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests import loops
from tests.hosting.visitors import MASSES, Visitor

pytestmark = pytest.mark.slow
PROGRAM = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


@pytest.fixture(scope="module")
def behind(serve, small_survey, tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("no nginx on this machine")
    from bench_load import nginx

    state = tmp_path_factory.mktemp("shared")
    with ThreadPoolExecutor(2) as threads:  # at the same time, as units of systemd start
        starting = [threads.submit(serve, small_survey, state=state, open="yes", proxied="yes") for _ in range(2)]
    servers = [one.result() for one in starting]
    with nginx([server.port for server in servers], tmp_path_factory.mktemp("nginx")) as port:
        yield f"http://127.0.0.1:{port}", servers


def sessions(server) -> float:
    lines = server.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("glocal_sessions "))


def test_a_visitor_stays_on_one_process_and_visitors_are_spread(behind):
    address, servers = behind

    async def crowd() -> None:
        visitors = [Visitor(address + "/app", MASSES[0]) for _ in range(6)]
        for visitor in visitors:
            await visitor.open()
            assert await visitor.press(MASSES[0]) > 0
        counts = await asyncio.to_thread(lambda: [sessions(server) for server in servers])
        assert sum(counts) == 6  # the socket of a page found its session: none was made twice
        assert min(counts) >= 1
        for visitor in visitors:
            await visitor.leave()

    loops.run(crowd())


def test_the_numbers_are_not_for_the_world(behind):
    address, _ = behind
    assert requests.get(address + "/metrics", timeout=60).status_code == 403
    assert requests.get(address + "/liveness", timeout=60).status_code == 200


def test_passwords_cannot_be_tried_at_speed(behind):
    address, _ = behind
    codes = Counter(requests.post(address + "/login", data={"name": "a"}, timeout=60).status_code for _ in range(25))
    assert codes[503] >= 10


def test_one_process_may_die(behind):
    address, servers = behind
    servers[0].process.kill()
    servers[0].process.wait()
    for _ in range(6):
        assert requests.get(address + "/app", timeout=120).status_code == 200
