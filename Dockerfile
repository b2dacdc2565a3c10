# One image for every process: which of them a container is says its command, `ethereal start NAME` of the Procfile.
# No ffmpeg: its libraries come with PyAV, and yt-dlp only fetches whole files. yt-dlp and deno are wheels of the lock.
FROM python:3.11-slim-bookworm

RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    chromium-headless-shell libatomic1 libegl1 libegl-mesa0 libgl1-mesa-dri libgles2 \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md Procfile ./
COPY ethereal ethereal
COPY tasks tasks
COPY web web
RUN pip install --no-cache-dir --no-deps --no-build-isolation --no-index . \
  && useradd --create-home ethereal \
  && install --directory --owner=ethereal /data

USER ethereal
ENV ETHEREAL_DATA_DIR=/data ETHEREAL_LOG_FORMAT=json PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8765
# Of the web app, as is the command; whoever runs another process gives another check, or --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s \
  CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:${ETHEREAL_PORT:-8765}/healthz', timeout=5)"
CMD ["ethereal", "start", "web"]
