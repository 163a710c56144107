"""Unsafe text: words that could make somebody hurt themselves, unless the sentence warns of them."""

import re

_PHRASES: dict[str, str] = {
    "potential_overexertion_language": (
        r"max(?:ing)? out (?:on )?(?:every|each|all)"
        r"|(?:to|until|till) (?:complete |total )?failure (?:on |in )?(?:every|each|all)"
        r"|(?:every|each|all) (?:single )?sets? (?:is |are |taken )?"
        r"(?:to|until|till) (?:complete |total )?failure"
        r"|until you (?:drop|collapse|pass out|throw up|vomit)"
    ),
    "unsafe_pain_instruction": (
        r"ignor(?:e|ing) (?:the |any |your |all |that )?(?:\w+ )?pain"
        r"|(?:push|work|train|power|fight|grind)(?:ing)? (?:right )?through "
        r"(?:the |any |your |that )?(?:\w+ )?pain"
        r"|no pain,? no gain|pain is (?:just )?weakness"
    ),
    "unsafe_medication_advice": (
        r"(?:stop|quit|skip|halve|double|reduce|increase|come off)(?:ping)? (?:taking )?your "
        r"(?:dos(?:e|es|age)|medications?|medicine|meds|tablets|pills|insulin|beta blockers?|inhaler)"
    ),
    "unsafe_diet_advice": (
        r"(?:eat|aim for|stick to|stay under) (?:only |just |under |less than )*[3-8]\d\d k?cal"
        r"|(?:stop|avoid) (?:eating|drinking water)|dehydrate yourself"
    ),
}
_UNSAFE = re.compile("|".join(f"(?P<{flag}>{pattern})" for flag, pattern in _PHRASES.items()))
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
    found: dict[str, str] = {}
    lowered = text.lower().replace("’", "'")
    for match in _UNSAFE.finditer(lowered):
        before = _SENTENCE_END.split(lowered[max(0, match.start() - _LOOK_BACK) : match.start()])[-1]
        if not _WARNING.search(before):
            found.setdefault(match.lastgroup or "", match.group())
    return found


def asks_for_professional(text: str) -> bool:
    """Return whether a text names somebody who is trained to answer a medical question."""
    return _PROFESSIONAL.search(text) is not None
