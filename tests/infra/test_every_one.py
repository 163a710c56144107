"""No single thing can be taken away unnoticed: each block, token, binding and value of a plan is removed in turn.

test_mutations.py changes the configuration and plans again, which takes seconds; here the plan itself is changed, so
that all of them can be: some rule of test_plan.py or test_grants.py has to fail for each.
"""

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import test_grants as grants
import test_plan as rules
from planned import Planned, Resource

pytestmark = pytest.mark.slow

RULES = [
    rule
    for name, rule in {**vars(rules), **vars(grants)}.items()
    if name.startswith("test_") and list(inspect.signature(rule).parameters) == ["planned"]
]
Change = tuple[str, Planned]


def changed(planned: Planned, address: str, change: Callable[[dict[str, Any]], object]) -> Planned:
    """Return a plan in which one resource's values are others."""
    made = []
    for one in planned.resources:
        values = copy.deepcopy(one.values) if one.address == address else one.values
        if one.address == address:
            change(values)
        made.append(replace(one, values=values))
    return replace(planned, resources=tuple(made))


def without(planned: Planned, gone: Resource) -> Planned:
    return replace(planned, resources=tuple(one for one in planned.resources if one is not gone))


def dead_letter_blocks(planned: Planned) -> Iterator[Change]:
    for one in planned.all("google_pubsub_subscription"):
        if one.values["dead_letter_policy"]:
            yield one.address, changed(planned, one.address, lambda values: values.update(dead_letter_policy=[]))


def oidc_tokens(planned: Planned) -> Iterator[Change]:
    for one in planned.all("google_pubsub_subscription"):
        if one.values["push_config"]:
            yield (
                one.address,
                changed(planned, one.address, lambda values: values["push_config"][0].update(oidc_token=[])),
            )


def bindings(planned: Planned) -> Iterator[Change]:
    for one in planned.resources:
        if one.type.endswith("_iam_member"):
            yield one.address, without(planned, one)


def variables(planned: Planned) -> Iterator[Change]:
    """Settings of services, functions and jobs, plain and secret, one after the other."""
    for one in planned.all("google_cloud_run_v2_service", "google_cloud_run_v2_job"):
        for number, variable in enumerate(rules.containers(one)[0]["env"]):  # type: ignore[arg-type, var-annotated]

            def remove(values: dict[str, Any], number: int = number) -> None:
                template = values["template"][0]
                inner = template["template"][0] if "template" in template else template
                inner["containers"][0]["env"].pop(number)

            yield f"{one.address}: {variable['name']}", changed(planned, one.address, remove)


def metadata(planned: Planned) -> Iterator[Change]:
    """Settings of machines, a line each."""
    for one in planned.all("google_compute_instance_template"):
        for key in ("fitsense-variables", "fitsense-secrets"):
            lines = one.values["metadata"][key].splitlines()
            for number, line in enumerate(lines):
                left = "\n".join(lines[:number] + lines[number + 1 :])
                yield (
                    f"{one.address}: {line}",
                    changed(
                        planned, one.address, lambda values, key=key, left=left: values["metadata"].update({key: left})
                    ),
                )


def notices(planned: Planned) -> bool:
    """Return whether some rule fails."""
    for rule in RULES:
        try:
            rule(planned)
        except AssertionError:
            return True
    return False


KINDS = (dead_letter_blocks, oidc_tokens, bindings, variables, metadata)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_none_of_them_can_be_taken_away_unnoticed(
    kind: Callable[[Planned], Iterator[Change]], planned: Planned
) -> None:
    assert not notices(planned)
    changes = list(kind(planned))
    assert len(changes) >= 5
    assert [what for what, after in changes if not notices(after)] == []
