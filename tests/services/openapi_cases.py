"""OpenAPI cases: requests drawn from a service's document, right ones and wrong ones, each answer held against it.

All of Schemathesis's checks apply: no server error, only statuses, content types, schemas and headers that the
document has, wrong data refused, right data taken, nothing without a token, no method that is not there. Right
data may meet a conflict: most are about something that has to exist, in a state that fits.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import flask
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.failures import Failure, FailureGroup

MAY_MEET = ["2xx", "401", "404", "409", "412", "413"]
"""What right data may be answered with, where what they are about is not there, or not in a state that fits."""


@dataclass
class Tally:
    """What came of the cases."""

    cases: int = 0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)


def fuzz(
    app: flask.Flask,
    document_path: str,
    headers: Callable[[], Mapping[str, str]],
    ids: Mapping[str, Sequence[str]],
    cases: int,
    number: int = 1,
) -> Tally:
    """Send so many right and wrong cases of every operation; raises what Schemathesis finds wrong.

    `headers` says who asks; of the parameters in `ids`, most values are some that exist.
    """
    schema = schemathesis.openapi.from_wsgi(document_path, app, config=_config())
    tally, wrong = Tally(), list[Exception]()
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not _can_be_wrong(operation):
                continue
            try:
                _send(operation, mode, headers, ids, cases, number, tally)
            except (FailureGroup, Failure) as exc:
                wrong.append(exc)
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {tally.cases} cases are not as the document says", wrong)
    return tally


def _can_be_wrong(operation: object) -> bool:
    return any(True for _ in operation.iter_parameters()) or bool(operation.body)  # type: ignore[attr-defined]


def _send(
    operation: object,
    mode: GenerationMode,
    headers: Callable[[], Mapping[str, str]],
    ids: Mapping[str, Sequence[str]],
    cases: int,
    number: int,
    tally: Tally,
) -> None:
    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 2**16))  # type: ignore[attr-defined]
    def send(case: Case, choice: int) -> None:
        if mode is GenerationMode.POSITIVE:
            _point_at_what_exists(case, ids, choice)
            case.body = _whole(case.body)
        response = case.call(headers=dict(headers()))
        tally.cases += 1
        tally.statuses[operation.label, response.status_code] += 1  # type: ignore[attr-defined]
        case.validate_response(response, headers=dict(headers()))

    send()


def _point_at_what_exists(case: Case, ids: Mapping[str, Sequence[str]], choice: int) -> None:
    for name in case.path_parameters or {}:
        known = ids.get(name, ())
        if known and choice % 4:
            case.path_parameters[name] = known[choice % len(known)]


def _whole(value: object) -> object:
    """Return a body with 45 for 45.0: JSON Schema counts it as an integer, strict bodies do not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


def _config() -> SchemathesisConfig:
    checks = ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=MAY_MEET))
    # Who asks is told by `headers`; that nobody is answered without is what the check `ignored_auth` sees to.
    generation = GenerationConfig(with_security_parameters=False)
    return SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks, generation=generation)))
