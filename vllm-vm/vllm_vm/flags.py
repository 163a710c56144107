"""Flags: flags.yaml as a command line and an environment, for a kind of machine."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from shared.errors import Rejected
from shared.event import faults
from shared.frozen import Frozen

FILE = Path(__file__).parents[1] / "flags.yaml"
FROM_THE_MODEL = "from the model"
LEFT_OUT = "none"
Machine = Literal["cpu", "gpu"]
Value = bool | int | float | str


class Setting(Frozen):
    """One flag or variable, and why it is as it is."""

    why: str
    value: Value
    cpu: Value | None = None
    gpu: Value | None = None

    def on(self, machine: Machine) -> Value | None:
        """Return the value on a machine, or None where it is left out."""
        own = self.cpu if machine == "cpu" else self.gpu
        found = self.value if own is None else own
        return None if found in (LEFT_OUT, FROM_THE_MODEL) else found


class Flags(Frozen):
    """The file."""

    flags: dict[str, Setting]
    environment: dict[str, Setting]

    def arguments(self, machine: Machine) -> list[str]:
        """Return the arguments that are the same for every model."""
        found: list[str] = []
        for name, setting in self.flags.items():
            value = setting.on(machine)
            if value is True:
                found.append(f"--{name}")
            elif value is not None:
                found += [f"--{name}", str(value)]
        return found

    def variables(self, machine: Machine) -> dict[str, str]:
        """Return the environment."""
        values = {name: setting.on(machine) for name, setting in self.environment.items()}
        return {name: str(value) for name, value in values.items() if value is not None}


def read_flags(file: Path = FILE) -> Flags:
    """Return the flags of a file; raises Rejected naming what is wrong with it."""
    try:
        return Flags.model_validate(yaml.safe_load(file.read_text()))
    except ValidationError as exc:
        raise Rejected(f"{file.name}: {faults(exc)}") from exc


def command(machine: Machine, model: Path, name: str, host: str, port: int, python: str) -> tuple[str, ...]:
    """Return the command that serves a base model, known under a name."""
    own = ("--model", str(model), "--served-model-name", name, "--host", host, "--port", str(port))
    return (python, "-m", "vllm.entrypoints.openai.api_server", *own, *read_flags().arguments(machine))
