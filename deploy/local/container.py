"""Container: `python -m deploy.local.container IMAGE COMMAND...`: a container that lives as long as this process.

So that what supervises processes need not know of Docker. On the host's network, because Pub/Sub
pushes to functions that listen on this machine's 127.0.0.1. After a kill -9 of this process
testcontainers' reaper removes the container.
"""

import signal
import sys

from testcontainers.core.container import DockerContainer


def main(image: str, command: list[str]) -> int:
    """Run until the container ends or this process is told to stop; returns the container's exit status."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with DockerContainer(image, network_mode="host").with_command(command) as container:
        running = container.get_wrapped_container()
        for piece in running.logs(stream=True, follow=True):
            sys.stdout.buffer.write(piece)
            sys.stdout.flush()
        return int(running.wait()["StatusCode"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
