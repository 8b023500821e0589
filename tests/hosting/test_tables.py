"""Tables at signed addresses: for who has the address, for a while, and for nobody else."""

import asyncio
import html
import socket
import time
from io import BytesIO

import pytest
from astropy.table import Table
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, create_signed_value

from app.jobs import shared_jobs
from app.server import secret
from app.server.tables import KINDS, PURPOSE, ROUTES, addresses
from app.settings import Settings, read_settings
from app.store import open_survey
from engine.figures.cut import Cut
from engine.figures.sample import select
from tests import loops
from tests.hosting.conftest import logged_in

VIEW = "log_M_star=9.8..10.3&sequence=old+ridge"


@pytest.fixture(scope="module")
def offered(guarded) -> list[str]:
    text = logged_in(guarded, "ben").get(guarded.root + "/views", params={"view": VIEW}, timeout=60).text
    values = [part.split('"')[0] for part in text.split('value="')[1:]]
    return [html.unescape(value) for value in values if "/tables/" in value]


@pytest.mark.filterwarnings("ignore:The unit 'Angstrom'")
def test_a_table_is_fetched_without_a_cookie_and_holds_the_selected_regions(guarded, offered, small_survey):
    assert len(offered) == len(KINDS)
    votable = next(address for address in offered if address.endswith(".vot"))
    answer = guarded.get(votable.removeprefix(guarded.root))
    assert answer.status_code == 200, answer.text
    table = Table.read(BytesIO(answer.content), format="votable")
    cut = Cut(ranges={"log_M_star": (9.8, 10.3)}, sequence="old ridge")
    assert len(table) == select(open_survey(small_survey), cut).n_regions > 0
    assert "log_mu_star" in table.colnames


def test_a_changed_address_is_refused(guarded, offered):
    path = offered[0].removeprefix(guarded.root)
    token = path.split("/")[2]
    for changed in (token[:-1] + ("0" if token[-1] != "0" else "1"), token.replace("2|", "1|", 1), "x" * 200):
        assert guarded.get(path.replace(token, changed)).status_code in (403, 404)


@pytest.mark.parametrize(("seconds", "status"), [(-3700, 403), (-600, 410), (40 * 86_400, 403)])
def test_an_address_lasts_an_hour_unless_the_survey_is_replaced(guarded, seconds, status, monkeypatch):
    """One that is valid leads to the survey it was made for, which this server does not have."""
    state = next(path for path in guarded.log_file.parent.iterdir() if path.name == "state")
    settings = Settings(state=state)
    secret._secret.cache_clear()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)
    (path,) = {address.path for address in addresses(VIEW, "any", settings) if address.path.endswith(".vot")}
    monkeypatch.undo()
    assert guarded.get("/" + path).status_code == status


def test_a_word_signed_for_a_login_is_no_address(guarded):
    state = next(path for path in guarded.log_file.parent.iterdir() if path.name == "state")
    key = secret.derived(Settings(state=state), "cookies")
    token = create_signed_value(key, PURPOSE, '["", "votable", "x"]').decode()
    assert guarded.get(f"/tables/{token}/glocal-regions.vot").status_code == 403


@pytest.fixture
def alone(small_survey, tmp_path, monkeypatch):
    """Settings of a process that makes one table at a time, keeps no other waiting, and drops it after a second."""
    for name, value in {"DATA": small_survey, "STATE": tmp_path, "QUEUE": 0, "SEND_S": 1, "TABLE_ROWS": 15_000}.items():
        monkeypatch.setenv(f"GLOCAL_{name}", str(value))
    shared_jobs.cache_clear()
    yield open_survey(small_survey).survey_id
    shared_jobs.cache_clear()


async def ask(path: str) -> tuple[HTTPResponse, HTTPResponse]:
    """Two ask for a table at once, the first of whom reads nothing of it; once it is given up, a third does."""
    (listener,) = bind_sockets(0, "127.0.0.1")
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # the system takes little off our hands
    server = HTTPServer(Application(ROUTES))
    server.add_socket(listener)
    root = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    client = AsyncHTTPClient(force_instance=True)
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(listener.getsockname())
        lazy.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await asyncio.sleep(0.3)
        second = await client.fetch(root + path, raise_error=False)
        while shared_jobs().answering:
            await asyncio.sleep(0.1)
    third = await client.fetch(root + path, raise_error=False)
    client.close()
    server.stop()
    return second, third


def test_a_table_that_nobody_takes_is_dropped_and_only_so_many_are_kept(alone, caplog):
    (path,) = {one.path for one in addresses("log_M_star=10.3..", alone, read_settings()) if one.words == "FITS"}
    second, third = loops.run(ask(path))
    assert second.code == 503
    assert "try again in a minute" in second.body.decode()
    assert "a table was not taken within 1 s" in caplog.text
    assert third.code == 200


def test_a_table_of_more_regions_than_allowed_is_a_sentence(alone):
    (path,) = {one.path for one in addresses("", alone, read_settings()) if one.words == "FITS"}
    _, third = loops.run(ask(path))
    assert third.code == 400
    assert "15000 is the limit" in third.body.decode()
