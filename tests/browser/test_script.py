"""Script in what a survey says of itself (galaxies, columns, where it comes from) is shown and never run."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.columns import GALAXIES_FILE, REGIONS_FILE
from tests.browser.conftest import READY, turn

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCRIPT = "<img src=x onerror=\"window.ran='yes'\"><script>window.ran='yes'</script>"


@pytest.fixture(scope="module")
def harmful(small_survey, tmp_path_factory):
    """The small survey with script wherever words of others come from."""
    folder = shutil.copytree(small_survey, tmp_path_factory.mktemp("harmful") / "survey")
    galaxies = pq.read_table(folder / GALAXIES_FILE)
    field = galaxies.schema.field("name")
    names = pa.array([SCRIPT + str(i) for i in range(len(galaxies))], field.type)
    galaxies = galaxies.set_column(galaxies.column_names.index("name"), field, names)
    pq.write_table(harm(galaxies), folder / GALAXIES_FILE)
    pq.write_table(harm(pq.read_table(folder / REGIONS_FILE)), folder / REGIONS_FILE)
    return folder


def harm(table):
    """A column with a harmful name, and harmful words in the history of the table."""
    words = table.schema.metadata
    history = words[b"glocal"].decode().replace('"seed": 5', f'"seed": {json.dumps(SCRIPT)}')
    assert SCRIPT[:4] in history
    with_column = table.append_column(SCRIPT, table.column(0))
    return with_column.replace_schema_metadata({**words, b"glocal": history.encode()})


def test_script_in_a_survey_is_shown_and_never_run(visit, serve, harmful):
    page = visit(serve(harmful) + "?page=galaxy&galaxy_id=3")
    page.locator(READY).wait_for(state="attached")
    assert "<img" in page.locator("h1", has_text="<img").first.inner_text()
    for name in ("data", "relations"):
        turn(page, name)
    assert page.evaluate("window.ran") is None
