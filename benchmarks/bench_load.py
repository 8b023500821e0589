"""Many visitors at once, on this machine: ``glocal bench load``.

Visitors without a browser open the page and press a preset of galaxy mass every two seconds; two headless browsers do
the same beside them. Once in one process, once in two processes behind nginx. Times run from the press to the last
byte of the pictures that follow it; they count the visitors' own work, which shares the cores.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from bench_app import CHROMIUM_FLAGS, open_page, settle
from load_client import Visitor
from ports import free_port

ROOT = Path(__file__).resolve().parents[1]
NGINX_CONF = ROOT / "docs" / "hosting" / "nginx.conf"
MASSES = ("9.8–10.3", "10.3–10.8")
EVERY_S = 2.0
ONE_PLANE = "?plane=log_age_wr-log_mu_star"
START_S = 180


class Instance:
    """Server processes over one survey, each on its port, with settings that let every visitor of this file in."""

    def __init__(self, data: Path, processes: int, folder: Path):
        self.ports = [free_port() for _ in range(processes)]
        self.log = open(folder / f"server-{processes}.log", "wb")
        self.processes = [self._start(port, data, folder) for port in self.ports]
        for port, process in zip(self.ports, self.processes, strict=True):
            _wait(f"http://127.0.0.1:{port}/readiness", process)

    def _start(self, port: int, data: Path, folder: Path) -> subprocess.Popen:
        ours = {"PORT": port, "DATA": data, "STATE": folder / "state", "SESSIONS": 200, "OPEN": "yes", "PROXIED": "yes"}
        environment = os.environ | {f"GLOCAL_{name}": str(value) for name, value in ours.items()}
        command = [sys.executable, "-m", "app.server"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log)

    def megabytes(self) -> float:
        """Resident memory of all processes, pages they share counted once (PSS where the system tells it)."""
        told = [psutil.Process(process.pid).memory_full_info() for process in self.processes]
        if len(told) == 1:
            return told[0].rss / 1e6
        return sum(getattr(memory, "pss", memory.rss) for memory in told) / 1e6

    def end(self) -> None:
        """Stop the processes."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
        self.log.close()


@contextmanager
def serving(data: Path, processes: int, folder: Path) -> Iterator[tuple[str, Instance]]:
    """Address of one process, or of several behind nginx, and the processes."""
    instance = Instance(data, processes, folder)
    try:
        if processes == 1:
            yield f"http://127.0.0.1:{instance.ports[0]}/app", instance
        else:
            with nginx(instance.ports, folder) as port:
                yield f"http://127.0.0.1:{port}/app", instance
    finally:
        instance.end()


@contextmanager
def nginx(ports: list[int], folder: Path) -> Iterator[int]:
    """nginx with the configuration of docs/hosting before these ports; the port it listens on."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(nginx_conf(ports, port, folder), encoding="utf-8")
    with subprocess.Popen([program, "-p", str(folder), "-c", str(conf), "-g", "daemon off;"]) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/liveness", process)
            yield port
        finally:
            process.terminate()


def nginx_conf(ports: list[int], port: int, folder: Path) -> str:
    """The site of docs/hosting for these ports, in a configuration that needs no rights and keeps to a folder."""
    site = NGINX_CONF.read_text(encoding="utf-8").replace("listen 80;", f"listen 127.0.0.1:{port};")
    for documented, ours in zip((5006, 5007), ports, strict=True):
        site = site.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{ours}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    return (
        f"pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{ worker_connections 4096; }}\n"
        f"http {{ access_log off; {folders}\n{site} }}\n"
    )


async def crowd(address: str, sessions: int, seconds: float, memory: Callable[[], float]) -> dict:
    """So many visitors for so long: times of their presses, errors, and the most memory the servers took."""
    times: list[float] = []
    errors: list[str] = []
    peaks = [memory()]
    opened: list[float] = []
    everybody_in = asyncio.Event()
    tasks = [_visit(address, i, seconds, everybody_in, opened, times, errors) for i in range(sessions)]
    watch = asyncio.create_task(_watch(memory, peaks))
    visits = asyncio.gather(*tasks)
    while len(opened) + len(errors) < sessions:
        await asyncio.sleep(0.1)
    everybody_in.set()
    began = time.perf_counter()
    await visits
    watch.cancel()
    took = max(time.perf_counter() - began, 1e-9)
    return summary(times, errors, took, peaks) | {"opens_s": round(statistics.median(opened), 1) if opened else None}


async def _visit(
    address: str, number: int, seconds: float, go: asyncio.Event, opened: list, times: list, errors: list
) -> None:
    """One visitor: in, a press every two seconds, out; what fails is counted, not raised."""
    visitor = Visitor(address, MASSES[0])
    rng = random.Random(number)
    try:
        await asyncio.sleep(0.3 * number)  # colleagues do not arrive in one instant
        opened.append(await visitor.open())
        while not go.is_set():
            await visitor.rest(0.2)
        await visitor.rest(rng.uniform(0.0, EVERY_S))
        end = time.perf_counter() + seconds
        press = number
        while time.perf_counter() < end:
            press += 1
            took = await visitor.press(MASSES[press % 2])
            times.append(took)
            await visitor.rest(max(EVERY_S - took, 0.0))
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}")
    finally:
        visitor.close()


async def _watch(memory: Callable[[], float], peaks: list[float]) -> None:
    while True:
        await asyncio.sleep(2.0)
        peaks.append(memory())


def summary(times: list[float], errors: list[str], seconds: float, memory: list[float]) -> dict:
    """The numbers of one crowd."""
    ordered = sorted(times)
    at = lambda part: round(1000 * ordered[min(int(part * len(ordered)), len(ordered) - 1)]) if ordered else None  # noqa: E731
    return {
        "median_ms": at(0.5), "p95_ms": at(0.95), "updates_per_s": round(len(times) / seconds, 1),
        "errors": len(errors), "memory_MB": round(max(memory)), "updates": len(times), "said": sorted(set(errors))[:3],
    }  # fmt: skip


async def flat_out(address: str, sessions: int, seconds: float) -> float:
    """Most updates per second: visitors who press again as soon as they see their pictures."""
    times: list[float] = []
    visitors = [Visitor(address, MASSES[0]) for _ in range(sessions)]
    for visitor in visitors:
        await visitor.open()
        await visitor.rest(0.5)

    async def press(visitor: Visitor, end: float) -> None:
        turn = 0
        while time.perf_counter() < end:
            turn += 1
            times.append(await visitor.press(MASSES[turn % 2]))

    await asyncio.gather(*(press(visitor, time.perf_counter() + seconds) for visitor in visitors))
    for visitor in visitors:
        visitor.close()
    return round(len(times) / seconds, 1)


async def churn(address: str, rounds: int, memory: Callable[[], float]) -> list[int]:
    """Visitors who come, press twice and leave, ten at a time: memory after each round."""
    trail = []
    for _ in range(rounds):
        visitors = [Visitor(address, MASSES[0]) for _ in range(10)]
        for visitor in visitors:
            await visitor.open()
            for label in MASSES:
                await visitor.press(label)
        for visitor in visitors:
            visitor.close()
        await asyncio.sleep(15.0)  # until the server has dropped them
        trail.append(round(memory()))
        print(f"  after {10 * len(trail)} visitors: {trail[-1]} MB", flush=True)
    return trail


def browsers(address: str, seconds: float) -> subprocess.Popen:
    """Two real browsers in a process of their own, which prints the times of their presses as JSON."""
    return subprocess.Popen(
        [sys.executable, __file__, "--browser", address, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True
    )


def browse(address: str, seconds: float) -> list[float]:
    """Press presets in two browsers every two seconds; milliseconds to the painted picture, each."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    times = []
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        pages = [open_page(chromium, address, MASSES[0])[0] for _ in range(2)]
        end = time.monotonic() + seconds
        press = 0
        while (began := time.monotonic()) < end:
            for page in pages:
                page.get_by_text(MASSES[press % 2], exact=True).first.click()
                watch = settle(page, 400)
                times.append(round(watch["painted"] - watch["clicked"]))
            press += 1
            time.sleep(max(began + EVERY_S - time.monotonic(), 0.0))
        chromium.close()
    return times


def measure(asked: argparse.Namespace, processes: int, folder: Path) -> dict:
    """All crowds against one instance, the smallest first."""
    results: dict = {}
    with serving(asked.data.resolve(), processes, folder) as (address, instance):
        for sessions in asked.sessions:
            beside = browsers(address, asked.seconds) if asked.browsers and sessions == asked.browsers_at else None
            result = asyncio.run(crowd(address, sessions, asked.seconds, instance.megabytes))
            if beside is not None:
                out, _ = beside.communicate(timeout=asked.seconds + 180)
                times = json.loads(out or "[]")
                result["browser_median_ms"] = round(statistics.median(times)) if times else None
            results[str(sessions)] = result
            print(_line(processes, sessions, result), flush=True)
        results["one_plane_updates_per_s"] = asyncio.run(flat_out(address + ONE_PLANE, 4, min(asked.seconds, 20)))
        print(f"  one plane, four visitors without a pause: {results['one_plane_updates_per_s']} updates/s", flush=True)
        if asked.churn:
            results["churn_MB"] = asyncio.run(churn(address, asked.churn, instance.megabytes))
    return results


def _line(processes: int, sessions: int, result: dict) -> str:
    told = f"{result['median_ms']} ms, p95 {result['p95_ms']} ms, {result['updates_per_s']} updates/s"
    more = f"{result['errors']} errors, {result['memory_MB']} MB, opens in {result['opens_s']} s"
    seen = f", browsers {result['browser_median_ms']} ms" if "browser_median_ms" in result else ""
    return f"{processes} process(es), {sessions:3d} sessions: {told}, {more}{seen} {result['said'] or ''}"


def _wait(address: str, process: subprocess.Popen) -> None:
    """Until an address answers 200; ends the program if it never does."""
    import urllib.request

    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=START_S).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{address} did not answer")


def parse() -> argparse.Namespace:
    """Words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GLOCAL_DATA") or ROOT / "assets" / "data"))
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 5, 20, 50], help="sizes of the crowds")
    parser.add_argument("--seconds", type=float, default=180.0, help="for each crowd")
    parser.add_argument("--processes", type=int, nargs="+", choices=(1, 2), default=[1, 2])
    parser.add_argument("--browsers-at", type=int, default=20, help="crowd beside which two browsers are opened")
    parser.add_argument("--no-browsers", dest="browsers", action="store_false")
    parser.add_argument("--churn", type=int, default=0, help="also so many rounds of ten visitors who come and leave")
    parser.add_argument("--json", type=Path, help="write the numbers there")
    parser.add_argument("--browser", metavar="ADDRESS", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure one process, then two behind nginx."""
    asked = parse()
    if asked.browser:
        print(json.dumps(browse(asked.browser, asked.seconds)))
        return
    results: dict = {"load_before": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}
    print(f"press to pictures, every {EVERY_S:g} s for {asked.seconds:g} s; load average {results['load_before']}")
    with tempfile.TemporaryDirectory() as folder:
        for processes in asked.processes:
            place = Path(folder) / str(processes)
            place.mkdir()
            results["one process" if processes == 1 else "two behind nginx"] = measure(asked, processes, place)
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
