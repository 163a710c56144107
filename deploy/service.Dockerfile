# Every service, by its folder: docker build -f deploy/service.Dockerfile --build-arg APP=plan .
# Target `migrations` is the job that brings the database to this version.
# Digests of bases: docker buildx imagetools inspect python:3.12-slim-bookworm
FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY pyproject.toml constraints.txt ./
COPY deploy/requirements.py deploy/requirements.py
RUN python -m venv /opt/venv
RUN python deploy/requirements.py > requirements.txt
RUN /opt/venv/bin/pip install --quiet --only-binary=:all: --constraint constraints.txt --requirement requirements.txt
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/venv

FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS base
ARG GIT_COMMIT=unknown
LABEL org.opencontainers.image.title="fitsense" org.opencontainers.image.revision="${GIT_COMMIT}" org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin fitsense
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 FITSENSE_GIT_COMMIT=${GIT_COMMIT}
WORKDIR /app
COPY shared/ shared/

FROM base AS migrations
COPY services/__init__.py services/__init__.py
COPY services/migrations/ services/migrations/
COPY functions/ functions/
COPY deploy/ deploy/
USER 10001
CMD ["python", "-m", "deploy", "db", "upgrade"]

FROM base AS service
ARG APP
ENV APP=${APP} PORT=8080
COPY services/__init__.py services/__init__.py
COPY services/${APP}/ services/${APP}/
COPY deploy/start-service.sh start-service.sh
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["sh", "start-service.sh"]
