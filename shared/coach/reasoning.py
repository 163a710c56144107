"""Reasoning: what a model writes around its answer, and taking it away.

Models think aloud in <think> blocks, put fences around JSON, and add a sentence before or after it.
An object inside a thought is a draft, never the answer.
"""

import json
import re

import orjson

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THOUGHT = re.compile(r"</(think|thinking|reasoning)>", re.IGNORECASE)
_MOST_STARTS = 50
_JSON = json.JSONDecoder()


def strip_reasoning(text: str) -> str:
    """Return the JSON object of an answer, or what comes nearest to one; empty where there is nothing."""
    text = text.strip()
    if text.startswith("{") and _is_json(text):
        return text
    if text.startswith("{") and (whole := _object_at(text, 0)) is not None:
        return whole
    text = _outside_thoughts(text)
    starts = [match.start() for match in re.finditer(r"\{", text)][:_MOST_STARTS]
    objects = [found for start in starts if (found := _object_at(text, start)) is not None]
    for found in objects:
        if '"escalation"' in found:
            return found
    if starts:
        return objects[0] if objects else text[starts[0] :].removesuffix("```").strip()
    return text


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _outside_thoughts(text: str) -> str:
    """Drop thoughts: closed, unclosed, and those whose opening tag the chat template swallowed."""
    text = _THOUGHT.sub("", text)
    return _END_OF_THOUGHT.split(text)[-1].strip()


def _object_at(text: str, start: int) -> str | None:
    try:
        _, end = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return text[start:end]
