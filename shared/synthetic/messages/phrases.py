"""Phrases: everything people say to their coach, as one grammar, read once."""

from pathlib import Path
from typing import Final

from shared.coach.vocabulary import PROMPT_TYPES
from shared.grammar import Grammar

DATA: Final = Path(__file__).with_name("data")
PHRASES: Final = Grammar.read(*(DATA / f"{name}.txt" for name in (*PROMPT_TYPES, "warning_signs", "styles")))
