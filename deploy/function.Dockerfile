# Every function; which one an instance is, its arguments say:
#   docker build -f deploy/function.Dockerfile -t function .
#   docker run function --source=functions/profiles/main.py --target=profiles --signature-type=cloudevent
FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY pyproject.toml constraints.txt ./
COPY deploy/requirements.py deploy/requirements.py
RUN python -m venv /opt/venv
RUN python deploy/requirements.py > requirements.txt
RUN /opt/venv/bin/pip install --quiet --only-binary=:all: --constraint constraints.txt --requirement requirements.txt
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/venv

FROM python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254 AS function
ARG GIT_COMMIT=unknown
LABEL org.opencontainers.image.title="fitsense-function" org.opencontainers.image.revision="${GIT_COMMIT}" org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin fitsense
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8080 FITSENSE_GIT_COMMIT=${GIT_COMMIT}
WORKDIR /app
COPY shared/ shared/
COPY functions/ functions/
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s CMD ["python", "-c", "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 4)"]
ENTRYPOINT ["python", "-m", "functions_framework"]
CMD ["--source=functions/intake/main.py", "--target=intake", "--signature-type=cloudevent"]
