"""Filters: what must hold of a teacher's answer, beyond what the checker said, to be learned from."""

from functions.dataset.answers import Answer
from shared.run_config import DatasetSettings


def rejections(answer: Answer, settings: DatasetSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids of the reasons against an answer, worst first, and the same in words."""
    reasons, findings = list(answer["rejections"]), list(answer["findings"])
    length = len(answer["response"])
    if 0 < length < settings.min_response_chars:
        reasons.append("too_short")
        findings.append(f"{length} characters; at least {settings.min_response_chars} are asked for")
    if length > settings.max_response_chars:
        reasons.append("too_long")
        findings.append(f"{length} characters; at most {settings.max_response_chars} are asked for")
    helpfulness = answer["scores"]["helpfulness"]
    if helpfulness < settings.min_helpfulness:
        reasons.append("unhelpful")
        findings.append(f"helpfulness {helpfulness:.2f}; at least {settings.min_helpfulness:.2f} is asked for")
    return tuple(reasons), tuple(findings)
