"""Unsafe text: words that could make somebody hurt themselves, unless the sentence warns of them."""

import re

_PHRASES: dict[str, tuple[tuple[str, ...], str]] = {
    "potential_overexertion_language": (
        (
            *("max out", "maxing out", "until you", "every set", "each set", "all set", "single set"),
            *("failure on", "failure in", "failure every", "failure each", "failure all"),
        ),
        r"max(?:ing)? out (?:on )?(?:every|each|all)"
        r"|(?:to|until|till) (?:complete |total )?failure (?:on |in )?(?:every|each|all)"
        r"|(?:every|each|all) (?:single )?sets? (?:is |are |taken )?"
        r"(?:to|until|till) (?:complete |total )?failure"
        r"|until you (?:drop|collapse|pass out|throw up|vomit)",
    ),
    "unsafe_pain_instruction": (
        ("ignor", "through", "no pain", "pain is"),
        r"ignor(?:e|ing) (?:the |any |your |all |that )?(?:\w+ )?pain"
        r"|(?:push|work|train|power|fight|grind)(?:ing)? (?:right )?through "
        r"(?:the |any |your |that )?(?:\w+ )?pain"
        r"|no pain,? no gain|pain is (?:just )?weakness",
    ),
    "unsafe_medication_advice": (
        (
            *("your dos", "your medic", "your meds", "your tablet", "your pill"),
            *("your insulin", "your beta", "your inhaler"),
        ),
        r"(?:stop|quit|skip|halve|double|reduce|increase|come off)(?:ping)? (?:taking )?your "
        r"(?:dos(?:e|es|age)|medications?|medicine|meds|tablets|pills|insulin|beta blockers?|inhaler)",
    ),
    "unsafe_diet_advice": (
        (" cal", " kcal", "stop eating", "avoid eating", "drinking water", "dehydrate"),
        r"(?:eat|aim for|stick to|stay under) (?:only |just |under |less than )*[3-8]\d\d k?cal"
        r"|(?:stop|avoid) (?:eating|drinking water)|dehydrate yourself",
    ),
}
"""By flag: words without which the pattern cannot match, looked for first because that is much faster."""
_UNSAFE = {flag: (needles, re.compile(pattern)) for flag, (needles, pattern) in _PHRASES.items()}
_WARNING = re.compile(
    r"\b(?:never|not|no|don't|doesn't|isn't|can't|cannot|won't|shouldn't|avoid|without|instead of|rather than"
    r"|nobody|refuse|unsafe|dangerous|nor|stop)\b"
)
_SENTENCE_END = re.compile(r"[.!?\n;:]")
_LOOK_BACK = 60
_PROFESSIONAL = re.compile(
    r"\b(?:doctor|physician|gp|pharmacist|nurse|clinic|specialist|physio\w*|professional|midwife|dietitian"
    r"|cardiologist|prescriber|medical team|care team|surgeon|gynaecologist|therapist|healthcare)",
    re.IGNORECASE,
)


def unsafe_phrases(text: str) -> dict[str, str]:
    """Return each kind of unsafe phrase in a text with its first example; a warning of one is none."""
    lowered = text.lower().replace("’", "'")
    found = {
        flag: _first(pattern, lowered)
        for flag, (needles, pattern) in _UNSAFE.items()
        if any(needle in lowered for needle in needles)
    }
    return {flag: phrase for flag, phrase in found.items() if phrase}


def _first(pattern: re.Pattern[str], text: str) -> str:
    """Return the first match that no warning stands before in its sentence, or nothing."""
    for match in pattern.finditer(text):
        before = _SENTENCE_END.split(text[max(0, match.start() - _LOOK_BACK) : match.start()])[-1]
        if not _WARNING.search(before):
            return match.group()
    return ""


def asks_for_professional(text: str) -> bool:
    """Return whether a text names somebody who is trained to answer a medical question."""
    return _PROFESSIONAL.search(text) is not None
