"""Page: all reports of a run as one HTML file that needs nothing else, not even a network.

Everything that a model wrote is escaped: by the template where it stands as text, and inside the
figures' JSON, where `<` is spelt in a way that cannot end a script.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from functions.gate.conversation import Conversation, conversation
from functions.gate.fairness import MEASURE_TITLES
from functions.gate.figures import figures
from shared.coach.vocabulary import PROMPT_TYPES
from shared.errors import Unavailable
from shared.records import DatasetManifest, DatasetRecord
from shared.reports import AnomalyReport, BiasReport, GateReport, StatsReport, ValidationReport
from shared.run_config import RunConfig

TEMPLATE = "page.html.j2"
_PLOTLY = "\0plotly.js\0"
"""Stands in the rendered text for a library that, decoded and copied along, was half of a run's peak memory."""


def render_page(
    run_id: str,
    config: RunConfig,
    manifest: DatasetManifest,
    validation: ValidationReport,
    stats: StatsReport,
    anomalies: AnomalyReport,
    bias: BiasReport,
    gate: GateReport,
    samples: Sequence[DatasetRecord],
) -> bytes:
    """Return the page; of the `samples`, one of each prompt type and one that escalates are shown."""
    page = (
        _environment()
        .get_template(TEMPLATE)
        .render(
            run_id=run_id,
            config=config,
            manifest=manifest,
            validation=validation,
            stats=stats,
            anomalies=anomalies,
            bias=bias,
            gate=gate,
            conversations=_chosen([conversation(record) for record in samples]),
            measures=MEASURE_TITLES,
            figures=_script_json(figures(stats, bias, manifest.rejected)),
            plotly=_PLOTLY,
        )
    )
    before, after = page.split(_PLOTLY)
    return b"".join([before.encode(), _plotly().read_bytes(), after.encode()])


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(("html", "j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "number": _number, "words": _words}
    return environment


def _chosen(conversations: Sequence[Conversation]) -> list[Conversation]:
    first: dict[str, Conversation] = {}
    for one in conversations:
        first.setdefault(one.record.context.prompt_type if one.escalation == "none" else "escalated", one)
    return [first[kind] for kind in (*PROMPT_TYPES, "escalated") if kind in first]


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _script_json(value: Mapping[str, object]) -> str:
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def _plotly() -> Path:
    """Return where plotly.js is, as its Python package brings it, without importing the package."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("the plotly package is not installed")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
