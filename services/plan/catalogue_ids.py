"""Catalogue ids: what of the catalogue a request may name; its schema lists them all."""

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.coach.catalogue import EQUIPMENT, EXERCISES


def _one_of(known: Mapping[str, object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in known:
            raise ValueError("is not in the catalogue")
        return text

    return check


ExerciseId = Annotated[
    str, AfterValidator(_one_of(EXERCISES)), Field(max_length=64, json_schema_extra={"enum": list(EXERCISES)})
]
EquipmentId = Annotated[
    str, AfterValidator(_one_of(EQUIPMENT)), Field(max_length=64, json_schema_extra={"enum": list(EQUIPMENT)})
]
