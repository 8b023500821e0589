"""Tables at signed addresses: for who has the address, for a while, and for nobody else."""

import html
import time
from io import BytesIO

import pytest
from astropy.table import Table
from tornado.web import create_signed_value

from app.server import secret
from app.server.tables import KINDS, PURPOSE, addresses
from app.settings import Settings
from app.store import open_survey
from engine.figures.cut import Cut
from engine.figures.sample import select
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


@pytest.mark.parametrize("seconds", [-3700, 40 * 86_400])
def test_an_address_from_an_hour_ago_or_from_the_future_is_refused(guarded, seconds, monkeypatch):
    state = next(path for path in guarded.log_file.parent.iterdir() if path.name == "state")
    settings = Settings(state=state)
    secret._secret.cache_clear()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + seconds)
    (path,) = {address.path for address in addresses(VIEW, "any", settings) if address.path.endswith(".vot")}
    monkeypatch.undo()
    assert guarded.get("/" + path).status_code == 403


def test_a_word_signed_for_a_login_is_no_address(guarded):
    state = next(path for path in guarded.log_file.parent.iterdir() if path.name == "state")
    key = secret.derived(Settings(state=state), "cookies")
    token = create_signed_value(key, PURPOSE, '["", "votable", "x"]').decode()
    assert guarded.get(f"/tables/{token}/glocal-regions.vot").status_code == 403
