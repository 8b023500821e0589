# A finished survey, served: docker build -t glocal . && docs/hosting.md
FROM python:3.11-slim-bookworm
WORKDIR /srv/glocal
COPY constraints.txt pyproject.toml README.md LICENSE CITATION.cff ./
COPY engine engine
COPY precompute precompute
COPY app app
COPY assets assets
RUN pip install --no-cache-dir -c constraints.txt . && useradd --system --home-dir /state --create-home glocal
USER glocal
# HOME lies in the volume: compiled loops are kept from one start to the next
ENV HOME=/state GLOCAL_ADDRESS=0.0.0.0 GLOCAL_PORT=5006 GLOCAL_DATA=/survey GLOCAL_STATE=/state GLOCAL_LOG=json
EXPOSE 5006
VOLUME ["/survey", "/state"]
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=90s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:5006/readiness', timeout=3)"
ENTRYPOINT ["glocal", "serve"]
