# syntax=docker/dockerfile:1
# One image for web, worker, beat and the release step; docker-compose.yml says which is which.

FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    # A forgotten DATABASE_URL is an error here and never a new embedded database.
    ESCROW_LOCAL=0 \
    FILES_DIR=/data/files \
    CELERY_BEAT_FILE=/data/celerybeat-schedule

WORKDIR /app

COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY . .

# The settings want their variables; none of these is kept, and no server is asked.
RUN ESCROW_LOCAL=1 ESCROW_DATA_DIR=/tmp/build \
    DATABASE_URL=postgres://nowhere/none REDIS_URL=redis://nowhere \
    python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf /tmp/build \
    && install -d -o 10001 -g 10001 -m 0700 /data /data/files

USER 10001:10001
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=15s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=9)"]

CMD ["python", "-m", "gunicorn", "escrow_site.wsgi", "--config", "python:escrow_site.web_server", \
     "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--worker-tmp-dir", "/dev/shm", \
     "--no-control-socket"]
