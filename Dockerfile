# One image for every process: which of them a container is says its command, `honcho start NAME` of the Procfile.
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
ENV ETHEREAL_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8765
CMD ["honcho", "start", "web"]
