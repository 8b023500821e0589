"""The server's rules without a server: settings, lock-out, jobs, logs, columns in shared files."""

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.jobs import BusyError, Jobs
from app.recent import Recent
from app.server import lifecycle
from app.server.__main__ import panel_words
from app.server.logs import JsonLines, PlainLines
from app.server.secret import _kept_secret, derived
from app.server.users import Lockout
from app.settings import Settings, read_settings, refuse_unguarded
from app.shared_columns import SharedColumns
from engine.errors import SettingsError
from tests import loops


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GLOCAL_PORT", "0", "GLOCAL_PORT is '0'"),
        ("GLOCAL_SESSIONS", "many", "GLOCAL_SESSIONS is 'many'"),
        ("GLOCAL_ADRESS", "x", "GLOCAL_ADRESS is not a setting"),
        ("GLOCAL_PREFIX", "a b", "GLOCAL_PREFIX is 'a b'"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=words):
        read_settings()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "glocal.example"])
def test_other_addresses_than_loopback_need_a_word_on_who_may_come_in(address):
    with pytest.raises(SettingsError, match="can be reached by others"):
        refuse_unguarded(Settings(address=address))
    refuse_unguarded(Settings(address=address, users="users"))
    refuse_unguarded(Settings(address=address, open=True))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_none(address):
    refuse_unguarded(Settings(address=address))


def test_no_secret_is_on_the_command_line():
    settings = Settings(
        secret="s3cret", metrics_token="t0ken", users="ada:$argon2id$x", database="postgresql://u:p@h/d"
    )
    words = " ".join(panel_words(settings)) + repr(settings.secret)
    assert not [word for word in ("s3cret", "t0ken", "argon2", "postgresql") if word in words]


def test_each_purpose_has_its_own_key():
    settings = Settings(secret="x")
    assert len({derived(settings, purpose) for purpose in ("cookies", "sessions", "tables")}) == 3


def test_processes_that_start_together_find_one_secret(tmp_path):
    path = tmp_path / "state" / "secret"
    first, second = _kept_secret(path), _kept_secret(path)
    assert first == second
    assert len(first) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("")  # a crash of the machine
    assert len(_kept_secret(path)) == 64


def test_a_secret_that_cannot_be_kept_is_made_for_the_process(tmp_path):
    (tmp_path / "file").touch()
    assert len(_kept_secret(tmp_path / "file" / "secret")) == 64


def test_a_lockout_ends_after_its_time_whatever_the_clock_on_the_wall_says(monkeypatch):
    now = [0.0]
    lockout = Lockout(3, 60.0, lambda: now[0])
    for _ in range(3):
        assert lockout.waits("ada") == 0
        lockout.failed("ada")
    monkeypatch.setattr(time, "time", lambda: 1e12)
    assert lockout.waits("ada") == pytest.approx(60.0)
    assert lockout.waits("ben") == 0
    now[0] = 61.0
    assert lockout.waits("ada") == 0


def test_a_lockout_counts_its_time_from_the_last_wrong_password_and_only_those_of_its_time():
    now = [0.0]
    lockout = Lockout(3, 60.0, lambda: now[0])
    for when in (0.0, 30.0, 50.0):
        now[0] = when
        lockout.failed("ada")
    assert lockout.waits("ada") == pytest.approx(60.0)
    now[0] = 61.0  # the first one is forgotten by now
    assert lockout.waits("ada") == 0
    lockout.failed("ada")
    assert lockout.waits("ada") == pytest.approx(60.0)


def test_a_right_password_forgets_the_wrong_ones():
    lockout = Lockout(2, 60.0)
    lockout.failed("ada")
    lockout.succeeded("ada")
    lockout.failed("ada")
    assert lockout.waits("ada") == 0


def test_an_attacker_cannot_fill_the_memory_with_names():
    lockout = Lockout(5, 60.0)
    for i in range(10_500):
        lockout.failed(f"name {i}")
    assert len(lockout._failures) <= 10_000


def test_jobs_beyond_the_queue_are_refused_and_the_others_finish():
    async def crowd() -> list:
        jobs = Jobs(workers=1, queue=1, limit_s=10)
        made = await asyncio.gather(*(jobs.run(time.sleep, 0.05) for _ in range(4)), return_exceptions=True)
        assert await jobs.finish(5)
        return made

    made = loops.run(crowd())
    assert [type(one) for one in made] == [type(None), type(None), BusyError, BusyError]


def test_a_job_that_overruns_is_given_up_and_the_loop_goes_on():
    async def slow() -> float:
        jobs = Jobs(workers=1, queue=1, limit_s=0.05)
        began = time.monotonic()
        with pytest.raises(BusyError, match=r"longer than 0\.05 s"):
            await jobs.run(time.sleep, 1.5)
        waited = time.monotonic() - began
        assert not await jobs.finish(0.01)
        assert await jobs.finish(5)
        return waited

    assert loops.run(slow()) < 1.2


@pytest.mark.parametrize(
    ("patience_s", "job_s", "outcomes"), [(10.0, 0.3, [None, None]), (0.1, 2.0, [BusyError, BusyError])]
)
def test_at_the_end_jobs_are_finished_or_else_refused_and_no_others_taken(patience_s, job_s, outcomes):
    """One under way and one that waits."""

    async def end() -> list:
        jobs = Jobs(workers=1, queue=2, limit_s=10)
        asked = [asyncio.ensure_future(jobs.run(time.sleep, job_s)) for _ in range(2)]
        await asyncio.sleep(0.1)
        finished = await jobs.finish(patience_s)
        assert finished == (outcomes == [None, None])
        return await asyncio.gather(*asked, jobs.run(time.sleep, 0.0), return_exceptions=True)

    *made, late = loops.run(end())
    assert [one and type(one) for one in made] == outcomes
    assert isinstance(late, BusyError)
    assert "being restarted" in str(late)


def test_whatever_a_survey_is_like_the_server_looks_at_it_again(monkeypatch):
    """A file that is replaced while it is read can fail in any way; the next look finds it sound."""
    looks = []

    def look(_folder) -> None:
        looks.append(lifecycle.state().loaded)
        if len(looks) < 3:
            raise RuntimeError("a page of the file is gone")

    async def follow() -> bool:
        await lifecycle._follow()
        for _ in range(200):
            await asyncio.sleep(0.01)
            if len(looks) > 3:
                break
        return lifecycle.state().loaded

    monkeypatch.setenv("GLOCAL_LOOK_S", "0.01")
    monkeypatch.setattr(lifecycle, "open_survey", look)
    lifecycle.state.cache_clear()
    assert loops.run(follow())
    assert looks[1:3] == [False, False]
    lifecycle.state.cache_clear()


def test_an_answer_that_is_being_sent_is_waited_for():
    async def end() -> bool:
        jobs = Jobs(workers=1, queue=0, limit_s=10)
        with jobs.answer():
            assert not await jobs.finish(0.1)
        return await jobs.finish(0)

    assert loops.run(end())


def test_an_error_in_a_job_reaches_who_asked():
    with pytest.raises(ZeroDivisionError):
        loops.run(Jobs(1, 0, 5).run(divmod, 1, 0))


@pytest.mark.parametrize("message", [
    "404 GET /app?galaxy_id=5&note=x (192.0.2.7) 1.00ms", "200 GET /tables/abc.def/x.fits (2001:db8::1) 1.00ms",
])  # fmt: skip
def test_log_lines_hold_no_address_and_no_link(message):
    record = logging.LogRecord("tornado.access", logging.INFO, "", 0, message, None, None)
    for line in (PlainLines("%(message)s").format(record), json.loads(JsonLines().format(record))["message"]):
        assert not [word for word in ("192.0.2.7", "2001:db8", "galaxy_id", "abc.def") if word in line]
        assert "GET" in line


def test_a_json_log_line_has_the_number_and_the_traceback_of_an_error():
    try:
        raise ValueError("what")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("app", logging.ERROR, "", 0, "error %s", ("ab12",), info)
    record.error_id = "ab12"
    words = json.loads(JsonLines().format(record))
    assert (words["level"], words["error_id"], words["message"]) == ("error", "ab12", "error ab12")
    assert "ValueError: what" in words["traceback"]


STOPPED = """
import asyncio, logging, os, signal, time
from app.jobs import BusyError, shared_jobs
from app.server import lifecycle

async def main():
    lifecycle._take_signals()
    asked = asyncio.ensure_future(shared_jobs().run(time.sleep, 300))
    await asyncio.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        await asked
    except BusyError as error:
        print(error, flush=True)
    await asyncio.sleep(300)

logging.basicConfig()
lifecycle.PATIENCE_S = 0.3
asyncio.run(main())
"""


def test_a_process_ends_though_an_export_goes_on_and_says_what_was_lost():
    """A thread cannot be stopped, and Python would wait for it."""
    ended = subprocess.run([sys.executable, "-c", STOPPED], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0
    assert ended.stdout.strip() == "this instance is being restarted: try again in a minute"
    assert "exports lost, as they took longer than 0.3 s: 1" in ended.stderr


@pytest.fixture
def columns(tmp_path):
    return lambda state="1": SharedColumns(tmp_path / "cache", tmp_path / "survey", state)


def test_a_column_kept_by_one_process_is_mapped_by_the_next(columns):
    made = np.arange(1000, dtype=np.float32)
    first = columns().keep("x", made)
    second = columns().find("x")
    np.testing.assert_array_equal(first, made)
    np.testing.assert_array_equal(second, made)
    assert type(second) is np.ndarray
    assert not second.flags.writeable
    assert columns().find("y") is None


def test_a_column_file_cut_short_is_not_used(columns):
    shared = columns()
    shared.keep("x", np.arange(1000))
    (file,) = shared.folder.iterdir()
    file.write_bytes(file.read_bytes()[:500])
    assert columns().find("x") is None


def test_columns_of_a_former_state_go_and_stay_readable_where_they_are_open(columns):
    old = columns("1").keep("x", np.arange(1000))
    new = columns("2")
    assert [folder.name for folder in new.folder.parent.iterdir()] == [new.folder.name]
    assert new.find("x") is None
    assert old.sum() == 499_500


def test_a_full_disk_keeps_columns_in_memory(columns, monkeypatch, caplog):
    def full(*_words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    shared = columns()
    np.testing.assert_array_equal(shared.keep("x", np.arange(9)), np.arange(9))
    assert "kept in memory" in caplog.text
    assert list(shared.folder.iterdir()) == []


def test_what_was_asked_for_last_is_kept_as_long_as_it_fits():
    recent = Recent(most_bytes=25_000)
    made = []

    def array(name: str) -> np.ndarray:
        made.append(name)
        return np.zeros(1000)

    for name in ("a", "b", "c", "a", "d", "a", "b"):
        recent.get(name, partial(array, name))
    assert made == ["a", "b", "c", "d", "b"]
    assert recent.bytes == 24_000


def test_an_array_larger_than_the_memory_for_recent_ones_is_made_each_time():
    recent = Recent(most_bytes=100)
    assert recent.get("a", lambda: (np.zeros(1000), {"b": [np.zeros(5)]}))[0].size == 1000
    assert recent.bytes == 0


def test_every_setting_is_in_the_documentation_with_its_default():
    text = (Path(__file__).resolve().parents[2] / "docs" / "hosting.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(GLOCAL_\w+)` \| (.*?) \|", text, flags=re.MULTILINE))
    assert set(rows) == {f"GLOCAL_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, float | int | Path) and not isinstance(field.default, bool):
            plain = str(field.default).removesuffix(".0")
            assert rows[f"GLOCAL_{name.upper()}"].strip("`") == plain
