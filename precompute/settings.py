"""Defaults of the ``glocal`` command; what they mean for the science is explained where they are used."""

N_MODEL_LIBRARY = 500_000  # ZG22 sec. 2.1
N_MODEL_DEMO = N_MODEL_LIBRARY  # with fewer, more errors have to be widened; five minutes in all
N_MODEL_MOCK_CUBES = 60_000  # choice: built in seconds, enough for a trial
REGIONS_PER_CHUNK = 8192  # choice: a few seconds with 500 000 models; what a stopped run may lose
REGIONS_PER_CHUNK_MOST = 50_000  # choice: 8 MB of observables, which a cluster's scheduler takes without complaint
N_REGION_VALIDATION = 10_000  # choice: means to 0.002 dex, shares to half a per cent
N_HISTORY_VALIDATION = 200_000  # choice: with 60 000 the brightest SDSS spectra rest on a few models
PRIORS = "mattolini25"  # the default of engine.library.priors
SEED = 2022  # choice: any whole number

ADDRESS = "127.0.0.1"
PORT = 5006
PORTS_TRIED = 50
