"""Selector to picture, in a headless browser, on this machine: ``glocal bench app``.

Starts the app and, beside it, a plain HoloViews ``rasterize`` page over the same table, clicks a selector of each and
waits until the browser has painted the last picture that the click caused. Prints medians, bytes and memory.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ports import free_port

from app.registry import PAGES

ROOT = Path(__file__).resolve().parents[1]
CLICKS = 10
TIMEOUT_MS = 120_000
QUIET_MS = 1000  # no message for so long: the update is complete
MEMORY = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_ARENA_MAX": "2"}
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"]
MASSES = ("9.8–10.3", "10.3–10.8")  # two presets of the rail, clicked in turn
PLAIN_MASSES = ("high", "low")  # the first is not chosen when the page opens
GALAXY_WORD = "Colours span"  # on the galaxy page
FEW_UPDATES = 20  # in a row, for the memory that every run tells
FIGURE_PAGES = tuple(entry.name for entry in PAGES if entry.figures)
ONE_PLANE = "?plane=log_age_wr-log_mu_star"

# Every message that changes the page is stamped once it is painted, two animation frames later; the shorter ones are
# headers and receipts (the browser tells the server its new address, long after the picture)
WATCH = """
window.bench = {clicked: 0, painted: 0, frames: 0, bytes: 0}
const Plain = window.WebSocket
window.WebSocket = class extends Plain {
  constructor(...words) {
    super(...words)
    this.addEventListener("message", (event) => {
      const size = event.data.byteLength ?? event.data.length
      window.bench.bytes += size
      window.bench.frames += 1
      const painted = () => { window.bench.painted = performance.now() }
      if (size > 100) requestAnimationFrame(() => requestAnimationFrame(painted))
    })
  }
}
const start = () => { window.bench = {clicked: performance.now(), painted: 0, frames: 0, bytes: 0} }
for (const gesture of ["pointerdown", "wheel", "keydown"]) addEventListener(gesture, start, true)
"""

PLAIN_PAGE = '''
"""The plain page: one rasterized plane, no overlays, as a HoloViews tutorial would write it."""
import os
import datashader as ds
import holoviews as hv
import panel as pn
import pyarrow.parquet as pq
from holoviews.operation.datashader import rasterize

pn.extension()
hv.extension("bokeh")

def load():
    folder = os.environ["GLOCAL_DATA"]
    regions = pq.read_table(folder + "/regions.parquet", columns=["galaxy_id", "log_mu_star", "log_age_wr", "weight"])
    galaxies = pq.read_table(folder + "/galaxies.parquet", columns=["galaxy_id", "log_M_star"])
    return regions.to_pandas().merge(galaxies.to_pandas(), on="galaxy_id")

table = pn.state.as_cached("table", load)
mass = pn.widgets.RadioButtonGroup(options={"low": (9.8, 10.3), "high": (10.3, 10.8)})

def points(limits):
    rows = table[(table.log_M_star >= limits[0]) & (table.log_M_star < limits[1])]
    return hv.Points(rows, ["log_mu_star", "log_age_wr"], "weight")

plane = rasterize(hv.DynamicMap(pn.bind(points, mass)), aggregator=ds.sum("weight"), width=600, height=500)
plane = plane.opts(width=700, height=560, cnorm="log", clim=(1e-9, None), nodata=0)
pn.Column("plain page", mass, plane).servable()
'''


class Server:
    """One panel server over one app, ended with everything it started."""

    def __init__(self, app: Path, data: Path, log: Path):
        self.port = free_port()
        words = [sys.executable, "-m", "panel", "serve", app, "--address", "127.0.0.1", "--port", self.port, "--warm",
                 "--allow-websocket-origin", f"127.0.0.1:{self.port}", "--static-dirs",
                 f"style={ROOT / 'assets' / 'style'}", "--log-level", "warning"]  # fmt: skip
        self.log = log.open("w")
        environment = os.environ | MEMORY | {"GLOCAL_DATA": str(data)}
        self.process = subprocess.Popen(
            [str(w) for w in words], env=environment, stdout=self.log, stderr=self.log, start_new_session=True
        )
        self.url = f"http://127.0.0.1:{self.port}/{app.stem}"

    def __enter__(self) -> "Server":
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.2)
        self.__exit__()
        raise SystemExit(f"the server did not start; see {self.log.name}")

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)
        self.log.close()

    def megabytes(self) -> float:
        """Resident memory of the server."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


def open_page(browser, url: str, word: str) -> tuple[Page, float]:
    """A page that has come to rest, and the seconds until its words stood there."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.add_init_script(WATCH)
    start = time.perf_counter()
    page.goto(url)
    page.get_by_text(word, exact=True).first.wait_for(timeout=TIMEOUT_MS)
    page.locator("canvas >> visible=true").first.wait_for(timeout=TIMEOUT_MS)
    seconds = time.perf_counter() - start
    settle(page)
    page.wait_for_timeout(1000)
    return page, seconds


def settle(page: Page, quiet_ms: float = QUIET_MS) -> dict:
    """Wait until something was painted and nothing more comes; what the watcher then knows."""
    seen, still = -1, time.monotonic()
    while True:
        page.wait_for_timeout(25)
        watch = page.evaluate("window.bench")
        if watch["frames"] != seen:
            seen, still = watch["frames"], time.monotonic()
        if time.monotonic() - still > quiet_ms / 1000 and (watch["painted"] or time.monotonic() - still > 5):
            return watch


def click(page: Page, word: str) -> dict:
    """Click a selector; milliseconds to the last painted picture, and bytes that came."""
    page.get_by_text(word, exact=True).first.click()
    return waited(page)


def click_spaxel(page: Page, number: int) -> dict:
    """Click another spaxel near the centre of the first map; the same numbers."""
    box = page.locator(".page.galaxy .bk-Figure").first.bounding_box()
    steps = ((number % 5) - 2, (number // 5 % 5) - 2)
    x, y = (box[at] + box[size] * (0.5 + 0.03 * step) for at, size, step in
            zip(("x", "y"), ("width", "height"), steps, strict=True))  # fmt: skip
    page.mouse.click(x, y)
    return waited(page)


def waited(page: Page) -> dict:
    """What the watcher knows once all is painted."""
    watch = settle(page)
    return {"ms": watch["painted"] - watch["clicked"], "kB": watch["bytes"] / 1000, "messages": watch["frames"]}


def measure(do: Callable[[int], dict], clicks: int) -> dict:
    """Median and range over so many clicks, after two that warm everything; the first of these is told too."""
    runs = [do(number) for number in range(clicks + 2)]
    first, runs = runs[0], runs[2:]
    times = [run["ms"] for run in runs]
    return {"median_ms": round(statistics.median(times)), "range_ms": (round(min(times)), round(max(times))),
            "first_ms": round(first["ms"]),
            "kB": round(statistics.median(run["kB"] for run in runs)),
            "messages": round(statistics.median(run["messages"] for run in runs))}  # fmt: skip


def case(browser, server: Server, name: str, query: str, words: tuple[str, ...], clicks: int) -> dict:
    """Open one page, measure it, print a line. words: selectors to click in turn; only one: the spaxels of a map."""
    page, seconds = open_page(browser, server.url + query, words[0])
    spaxels = len(words) == 1
    result = measure(lambda i: click_spaxel(page, i) if spaxels else click(page, words[i % len(words)]), clicks)
    result |= {"first_picture_s": round(seconds, 2), "server_MB": round(server.megabytes())}
    page.close()
    low, high = result["range_ms"]
    time_words = f"{result['median_ms']:5d} ms ({low}–{high})"
    time_words += f" first {result['first_ms']}"
    size = f"{result['kB']:5d} kB in {result['messages']:3d} messages"
    print(f"{name:34} {time_words:34} {size}   opens in {seconds:.1f} s   server {result['server_MB']} MB", flush=True)
    return result


def pages_case(browser, server: Server, clicks: int) -> dict:
    """Selector to picture on every other page of figures, then turning pages, the wheel and the next galaxy."""
    results = {
        name: case(browser, server, f"Glocal, page {name}", f"?page={name}", MASSES, clicks)
        for name in FIGURE_PAGES[1:]
    }
    results["turn"] = turning_case(browser, server, clicks)
    results["wheel"] = wheel_case(browser, server, clicks)
    results["galaxy"] = galaxy_case(browser, server, clicks)
    return results


def wheel_case(browser, server: Server, clicks: int) -> dict:
    """Turn the wheel over the first of six planes, in and out."""
    page, _ = open_page(browser, server.url, MASSES[0])
    box = page.locator(".page.relations .bk-Figure").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    return told(page, "zoom by the wheel, six planes", lambda i: page.mouse.wheel(0, 120 if i % 2 else -120), clicks)


def galaxy_case(browser, server: Server, clicks: int) -> dict:
    """Step to the next galaxy by its key."""
    page, _ = open_page(browser, server.url + "?page=galaxy", GALAXY_WORD)
    return told(page, "next galaxy by its key", lambda _: page.keyboard.press("ArrowRight"), clicks)


def turning_case(browser, server: Server, clicks: int) -> dict:
    """Turn to a page of figures that was seen before."""
    page, _ = open_page(browser, server.url, MASSES[0])
    tabs = [page.get_by_role("link", name=entry.label, exact=True) for entry in PAGES if entry.figures]
    for tab in tabs:  # made when first shown
        tab.click()
        settle(page)
    return told(page, "turning to a page seen before", lambda i: tabs[i % len(tabs)].click(), clicks)


def told(page: Page, name: str, gesture: Callable[[int], None], clicks: int) -> dict:
    """Measure a gesture, print a line and close the page."""

    def do(number: int) -> dict:
        gesture(number)
        return waited(page)

    result = measure(do, clicks)
    print(f"{name}: {result['median_ms']} ms {result['range_ms']}", flush=True)
    page.close()
    return result


def memory_case(browser, server: Server, updates: int) -> dict:
    """Memory of the server while one session is updated again and again."""
    page, _ = open_page(browser, server.url, MASSES[0])
    trail = []
    for i in range(updates + 1):
        if i % max(updates // 10, 1) == 0:
            trail.append(round(server.megabytes()))
            print(f"  after {i:4d} updates: {trail[-1]} MB", flush=True)
        page.get_by_text(MASSES[i % 2], exact=True).first.click()
        settle(page, 150)
    page.close()
    return {"MB": trail}


def parse() -> argparse.Namespace:
    """Words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GLOCAL_DATA") or ROOT / "assets" / "data"))
    parser.add_argument("--clicks", type=int, default=CLICKS)
    parser.add_argument("--memory", type=int, nargs="?", const=500, default=FEW_UPDATES, help="updates in a row")
    parser.add_argument("--pages", action="store_true", help="other pages, turning, wheel and keys, too")
    parser.add_argument("--json", type=Path, help="write the numbers there")
    return parser.parse_args()


def app_cases(browser, server: Server, asked: argparse.Namespace) -> dict:
    """One plane, six, a spaxel, other pages if they are asked for, and memory."""
    clicks = asked.clicks
    results = {
        "one": case(browser, server, "Glocal, one plane, all overlays", ONE_PLANE, MASSES, clicks),
        "six": case(browser, server, "Glocal, six planes, all overlays", "", MASSES, clicks),
        "spaxel": case(browser, server, "Glocal, a spaxel and its spectrum", "?page=galaxy", (GALAXY_WORD,), clicks),
    }
    if asked.pages:
        results["pages"] = pages_case(browser, server, clicks)
    return results | {"memory": memory_case(browser, server, asked.memory)}


def main() -> None:
    """Measure the plain page, one plane and six, one after the other on the same table."""
    asked, results = parse(), {}
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        plain = Path(folder) / "plain.py"
        plain.write_text(PLAIN_PAGE, encoding="utf-8")
        browser = play.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        print(f"click to last painted picture, median of {asked.clicks} (range); {asked.data}")
        with Server(plain, asked.data.resolve(), Path(folder) / "plain.log") as server:
            results["plain"] = case(browser, server, "HoloViews rasterize, one plane", "", PLAIN_MASSES, asked.clicks)
        with Server(ROOT / "app", asked.data.resolve(), Path(folder) / "app.log") as server:
            results |= app_cases(browser, server, asked)
        browser.close()
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
