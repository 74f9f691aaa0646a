# Daemon in a container. Two stages: the second one carries no pip cache and no compiler.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements.txt ./
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM ${PYTHON_IMAGE}
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:///./data/daemon.db \
    BACKUP_DIR=./backups \
    LOG_DIR=./logs \
    HOST=0.0.0.0 \
    PORT=8004
WORKDIR /app
COPY --from=build /venv /venv
COPY deploy/container_entrypoint.py /usr/local/lib/daemon/container_entrypoint.py
COPY scripts ./scripts
COPY app ./app
# Compiled once: a container that writes no bytecode would compile all of it at every start and command.
RUN python -m compileall -q app scripts && mkdir -p data backups logs
VOLUME ["/app/data", "/app/backups", "/app/logs"]
EXPOSE 8004
STOPSIGNAL SIGTERM
# Alive, not ready: a container whose database waits for its upgrade must stay up (docs/upgrade_guide.md).
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', timeout=4)"]
# The entry point starts as root only to give the mounted folders an owner; the server runs as that owner.
ENTRYPOINT ["python", "/usr/local/lib/daemon/container_entrypoint.py"]
CMD ["python", "-m", "app.cli", "serve"]
