"""Main: what the model server's machine runs.

python -m vllm_vm                            the agent, until SIGTERM
python -m vllm_vm serve gpu --port 8000      become vLLM, with flags.yaml, on the base of what is promoted;
                                             waits until something is. --base NAME or a folder: on that one
python -m vllm_vm flags gpu                  what vLLM is started with
"""

import argparse
import os
import shlex
import signal
import sys
import threading
import time

from shared.runtime import runtime
from shared.settings import environment
from vllm_vm.agent import Agent
from vllm_vm.engine import Engine
from vllm_vm.flags import command, read_flags
from vllm_vm.settings import AgentSettings
from vllm_vm.weights import fetch_base, wanted_base


def agent() -> None:
    """Keep vLLM holding what is promoted."""
    settings, here = AgentSettings(), runtime()
    engine = Engine(settings.url, settings.key.get_secret_value())
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    subscription = here.subscription(settings.subscription)
    Agent(settings, here.store, here.documents, here.bus, subscription, engine).run(stopped)
    engine.close()


def serve(arguments: argparse.Namespace) -> None:
    """Become vLLM."""
    settings, flags = AgentSettings(), read_flags()
    base = arguments.base or _promoted_base(settings)
    folder = fetch_base(runtime().store, base, settings.adapters.parent / "bases")
    words = command(arguments.machine, folder, base, arguments.host, arguments.port, arguments.python)
    own = environment() | flags.variables(arguments.machine)
    if key := settings.key.get_secret_value():
        own["VLLM_API_KEY"] = key
    os.execve(words[0], words, own)  # noqa: S606 - no shell is wanted


def _promoted_base(settings: AgentSettings) -> str:
    """Return the base of what the environment is to be served with, once it is to be."""
    here = runtime()
    while (base := wanted_base(here.documents, here.store, settings.environment)) is None:
        time.sleep(settings.wait_s)
    return base


def show(arguments: argparse.Namespace) -> None:
    """Print what vLLM is started with."""
    flags = read_flags()
    for name, value in flags.variables(arguments.machine).items():
        print(f"{name}={shlex.quote(value)}")
    print(shlex.join(flags.arguments(arguments.machine)))


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind")
    serving = kinds.add_parser("serve")
    serving.add_argument("machine", choices=("cpu", "gpu"))
    serving.add_argument("--base", default="")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, required=True)
    serving.add_argument("--python", default=sys.executable, help="the interpreter of vLLM's environment")
    kinds.add_parser("flags").add_argument("machine", choices=("cpu", "gpu"))
    arguments = parser.parse_args()
    if arguments.kind == "serve":
        serve(arguments)
    elif arguments.kind == "flags":
        show(arguments)
    else:
        agent()


if __name__ == "__main__":
    main()
