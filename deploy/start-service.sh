#!/bin/sh
# Start the service that this image is of: by its own main, or as a WSGI application.
set -eu
if [ -f "services/$APP/__main__.py" ]; then
  exec python -m "services.$APP" --host 0.0.0.0 --port "$PORT"
fi
exec python -m granian --interface wsgi --factory --host 0.0.0.0 --port "$PORT" \
  --workers 1 --blocking-threads 16 --backlog 256 "services.$APP.app:from_env"
