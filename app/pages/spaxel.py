"""The row below the maps when a spaxel is chosen: its spectrum and posteriors, or its place in the sample."""

from html import escape

import numpy as np
import panel as pn

from app import theme
from app.compat import Buttons, one_change
from app.looks import asset
from app.pages.galaxy_layout import PLANES_HEIGHT, figure_pane, labelled, style, words
from app.screen.parts import Parts
from app.screen.spectrum_data import FLUX_UNIT
from app.screen.spectrum_panel import RESIDUAL_HEIGHT, SpectrumPanel, make_wave_range
from app.selection import Selection
from app.spectra import ESTIMATES, PLANE, PosteriorCurve, SpaxelSpectrum, read_flags, read_spectrum, survey_has_spectra
from app.store import Survey
from engine.errors import TableError
from engine.spectra_schema import estimates_id

CURVES_WIDTH, PLANE_WIDTH, GAP = 192, 250, 12  # px
LEGEND = (
    "<span class='key'><i class='observed'></i>observed ± 1σ</span>"
    "<span class='key'><i class='stars'></i>stars</span>"
    "<span class='key'><i class='gas'></i>emission lines</span>"
    "<span class='key'><i class='bands'></i>index bands</span>"
)


class SpaxelDetail:
    """``head`` and ``row`` stand over the planes of the sample, which ``put_aside`` hides while a spectrum is shown.

    ``panel`` is made by ``prepare`` once the page is seen, or with the first spectrum, and fills ``row``.
    """

    panel: SpectrumPanel | None = None

    def __init__(self, parts: Parts, survey: Survey, selection: Selection) -> None:
        self.parts, self.survey, self.selection = parts, survey, selection
        self.wave_range = make_wave_range()
        self.has_spectra = survey_has_spectra(survey.folder)
        self.estimates_id = ""  # of the galaxy that is open
        self.lost: dict[tuple[int, int], int] = {}
        self.spectrum: SpaxelSpectrum | None = None
        self.place: tuple[int, int] | None = None
        self.title = words()
        self.titles = {name: words() for name in ESTIMATES}
        self.turner = Buttons(
            label="Below the maps", options=self.offers, width=280, margin=0, stylesheets=style(), value="sample"
        )
        self.turner.param.watch(self._turned, "value")
        self.head = pn.Row(self.title, self.turner, sizing_mode="stretch_width", margin=(4, 0, 0, 0))
        size = {"sizing_mode": "stretch_width", "height": PLANES_HEIGHT + 20, "margin": (2, 0, 0, 0)}
        self.row = pn.Row(visible=False, stylesheets=[asset("style/rows.css")], **size)
        self.others: dict[str, pn.Row] = {}

    @property
    def offers(self) -> dict[str, str]:
        """What can stand below the maps, by its words."""
        spectrum = {"Spectrum": "spectrum"} if self.spectrum is not None else {}
        return spectrum | {"In the sample": "sample", "Profiles": "profiles"}

    def put_aside(self, **rows: pn.Row) -> list[pn.Row]:
        """Take charge of other rows, by name: of all rows one is seen."""
        self.others = rows
        return list(rows.values())

    def prepare(self) -> None:
        """Make the figures of a spectrum, unless they are there or nothing would ever fill them."""
        if self.panel is None and self.has_spectra:
            self.panel = SpectrumPanel(self.parts, self.wave_range)
            with one_change():
                self.row[:] = self._lay_out()

    def open_galaxy(self, galaxy_id: int) -> None:
        """Learn which spaxels of a galaxy were not kept."""
        self.galaxy_id = int(galaxy_id)
        self.estimates_id = estimates_id(self.survey.galaxy_maps(self.galaxy_id))
        try:
            self.lost = read_flags(self.survey.folder, self.galaxy_id, belongs_to=self.estimates_id)
        except TableError:
            self.lost = {}  # the hover then gives the general reason

    def show(self, place: tuple[int, int] | None) -> None:
        """Read and show the spaxel (x, y) of the galaxy that is open, or none."""
        self.place, self.spectrum, trouble = place, None, ""
        if place is not None and self.has_spectra:
            try:
                self.spectrum = read_spectrum(self.survey.folder, self.galaxy_id, *place, belongs_to=self.estimates_id)
                trouble = "" if self.spectrum else "No spectrum was kept of this spaxel."
            except TableError as error:
                trouble = f"{str(error)[0].upper()}{str(error)[1:]}."
        if self.spectrum is not None:
            self._fill(self.spectrum)
        else:
            self.title.object = f"<p class='quiet'>{escape(trouble)}</p>" if trouble else ""
        self.turn()

    def turn(self) -> None:
        """Show the row that was asked for; without a spectrum always the sample."""
        below = self.below
        self.turner.param.update(options=self.offers, value=below)
        if self.spectrum is not None:
            self.title.object = f"<h2>Spaxel ({self.place[0]}, {self.place[1]}){LEGEND if self.seen else ''}</h2>"
        self.row.visible = self.seen
        for name, row in self.others.items():
            row.visible = name == below

    def _turned(self, event) -> None:
        if event.new and event.new != self.below:
            self.selection.detail = event.new

    @property
    def below(self) -> str:
        """What stands below the maps now: spectrum, sample or profiles."""
        if self.seen:
            return "spectrum"
        return "sample" if self.selection.detail == "spectrum" else self.selection.detail

    @property
    def seen(self) -> bool:
        """Whether a spectrum is on the screen."""
        return self.spectrum is not None and self.selection.detail == "spectrum"

    def _fill(self, spectrum: SpaxelSpectrum) -> None:
        self.prepare()
        self.panel.show(spectrum)
        for name, title in self.titles.items():
            title.object = (
                f"<div class='posterior'><em>{theme.html_axis(name)}</em>{_value(spectrum.posteriors[name])}</div>"
            )

    def _lay_out(self) -> list[pn.Row | pn.Column]:
        """Spectrum and residual with their labels, curves, plane."""
        panel = self.panel
        labels = pn.Column(
            words(f"<div class='y-label low'>flux [{FLUX_UNIT}]</div>", sizing_mode="stretch_both"),
            words("<div class='y-label low'>residual</div>", height=RESIDUAL_HEIGHT),
            width=18, sizing_mode="stretch_height", margin=0,
        )  # fmt: skip
        spectra = pn.Column(
            figure_pane(panel.spectrum, "stretch_both"),
            figure_pane(panel.residual, "stretch_width", height=RESIDUAL_HEIGHT),
            words("<div class='x-label'>rest wavelength [Å, air]</div>"),
            sizing_mode="stretch_both", margin=0,
        )  # fmt: skip
        parts = [
            part
            for name in ESTIMATES
            for part in (self.titles[name], figure_pane(panel.curves[name], "stretch_both"))
        ]  # fmt: skip
        curves = pn.Column(*parts, width=CURVES_WIDTH, sizing_mode="stretch_height", margin=(0, 0, 0, GAP))
        plane = labelled(panel.plane, *PLANE, margin=(0, 0, 0, GAP), width=PLANE_WIDTH)
        whole = pn.Row(labels, spectra, sizing_mode="stretch_both", margin=0, css_classes=["whole"])
        return [whole, curves, plane]


def _value(posterior: PosteriorCurve) -> str:
    """Median with its distances to the percentiles, as 9.28 +0.15 −0.12."""
    if not np.isfinite(posterior.median):
        return "<span>no posterior</span>"
    up, down = posterior.high - posterior.median, posterior.median - posterior.low
    median = f"{posterior.median:.2f}".replace("-", "−")
    return f"<span>{median}<span class='both'><b>+{up:.2f}</b><b>−{down:.2f}</b></span></span>"
