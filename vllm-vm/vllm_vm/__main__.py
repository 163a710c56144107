"""Main: what the model server's machine runs beside vLLM.

python -m vllm_vm                                        the agent, until SIGTERM
python -m vllm_vm serve cpu MODEL --name base --port N   become vLLM, with flags.yaml; its key in VLLM_API_KEY
python -m vllm_vm flags gpu                              what vLLM is started with, a line each
"""

import argparse
import os
import shlex
import signal
import threading
from pathlib import Path

from shared.runtime import runtime
from shared.settings import environment
from vllm_vm.agent import Agent
from vllm_vm.engine import Engine
from vllm_vm.flags import command, read_flags
from vllm_vm.settings import AgentSettings


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
    flags = read_flags()
    words = command(
        arguments.machine, arguments.model, arguments.name, arguments.host, arguments.port, arguments.python
    )
    os.execve(words[0], words, environment() | flags.variables(arguments.machine))  # noqa: S606 - no shell is wanted


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
    serving.add_argument("model", type=Path)
    serving.add_argument("--name", default="base")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, required=True)
    serving.add_argument("--python", required=True, help="the interpreter of vLLM's environment, with its path")
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
