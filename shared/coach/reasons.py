"""Reasons: the words a coach gives for a change, varied, and about this person and this exercise."""

import re
from collections.abc import Callable
from typing import Final

_ARTICLE_AFTER_YOUR: Final = re.compile(r"\byour (?:an?|the) ")
_TURNS = ("{value} instead of {before}", "{value} rather than {before}", "{value}, {way} from {before}")
_UNITS = {"reps": "{} a set", "rest": "{} of rest", "rir": "RIR {}"}
_WORDS: dict[str, tuple[str, ...]] = {
    "safe.swap": (
        "{new} does the same job and goes well with {cause}",
        "{name} does not go well with {cause}; {new} does",
        "because of {cause}, {new} is the better choice than {name}",
        "with {cause}, {name} asks too much; {new} is the safer option",
        "{new} keeps the movement in the plan and respects {cause}",
        "{new} is easier to do safely with {cause} than {name}",
    ),
    "safe.remove": (
        "{name} does not go well with {cause}",
        "{name} is not a good idea with {cause}, and the rest of the day covers it",
        "left out because of {cause}; the other exercises do the work",
        "{cause} rules out {name} for now",
    ),
    "safe.number": (
        "{change}, to stay on the safe side with {cause}",
        "{cause} calls for it: {change}",
        "{change}, which suits {cause} better",
        "a little more margin because of {cause}: {change}",
        "{change}, to be careful with {cause}",
    ),
    "safe.add": (
        "{name} fills the gap and goes well with {cause}",
        "{name} keeps the week complete in spite of {cause}",
        "{name} is a gentle way to keep training with {cause}",
    ),
    "kit.swap": (
        "{new} needs only what you have now",
        "{name} needs equipment that you do not have now; {new} does not",
        "{new} trains the same muscles with the equipment at hand",
        "{new} is the same movement without the missing equipment",
        "{new} replaces {name} and works with what you have",
    ),
    "kit.remove": (
        "{name} cannot be done with what you have, and the day is complete without it",
        "there is no way to do {name} without its equipment",
        "the equipment for {name} is missing, and the other exercises cover the work",
    ),
    "kit.number": (
        "{change}, which suits the equipment you have now",
        "with this equipment it takes a different dose: {change}",
        "{change}, to get the most out of the equipment at hand",
    ),
    "kit.add": (
        "{name} works with what you have and rounds off the day",
        "{name} replaces what is lost with the missing equipment",
        "{name} is possible with your equipment and keeps the week balanced",
    ),
    "cap.number": (
        "{change}, as sessions should stay short with {cause}",
        "shorter sessions are wiser with {cause}: {change}",
        "{change}, so that the session is not too long for {cause}",
    ),
    "cap.remove": (
        "sessions should stay short with {cause}, and the day is complete without {name}",
        "left out so that the session is not too long for {cause}",
        "with {cause} a shorter session does more good; {name} can go",
    ),
    "time.number": (
        "{change}, so that the session fits {cause}",
        "saves time: {change}",
        "{change}, to be done within {cause}",
        "the day has to fit {cause}: {change}",
    ),
    "time.remove": (
        "{name} can go first when there are only {cause}",
        "left out to fit {cause}; the main work stays",
        "without {name} the day fits {cause}",
        "{cause} are enough for the other exercises, but not for {name} too",
        "{name} matters least on a day of {cause}",
    ),
    "time.swap": ("{new} takes less time than {name}", "{new} fits {cause} better than {name}"),
    "time.add": (
        "{name} keeps the shorter week complete",
        "a short {name} keeps every muscle group in the week",
    ),
    "days.remove": (
        "you asked for {cause}; the days that stay cover what matters most",
        "with {cause}, {name} is the day that costs least to drop",
        "one day less, as you asked; {name} is the easiest one to leave out",
        "{cause} it is; the other days take over from {name}",
    ),
    "days.number": (
        "{change}, because there are {cause} now",
        "with {cause} each session carries a bit more: {change}",
        "{change}, to balance the shorter week",
    ),
    "days.add": (
        "{name} makes up for the day that went",
        "{name} brings back what the dropped day trained",
        "with {cause}, this is where {name} fits best",
    ),
    "days.swap": (
        "{new} balances the week better than {name} with {cause}",
        "{new} makes up for the day that went",
    ),
    "harder.number": (
        "you said it is too easy: {change}",
        "{change}, to make it more of a challenge",
        "more effort here: {change}",
        "a notch harder: {change}",
        "{change}, because you are ready for more",
    ),
    "harder.add": ("{name} adds a challenge", "more work, as you asked: {name}"),
    "harder.swap": ("{new} is the tougher version of {name}", "{new} asks more of you than {name}"),
    "easier.number": (
        "you asked for less: {change}",
        "{change}, which takes the edge off",
        "easier to recover from: {change}",
        "{change}, so that you finish fresh",
        "a gentler dose: {change}",
    ),
    "easier.remove": (
        "{name} is the one to leave out for an easier day",
        "less in total: {name} can go for now",
    ),
    "volume.number": (
        "more volume, as you asked: {change}",
        "{change}, to add work where it pays off",
        "extra work for these muscles: {change}",
        "{change}, which raises the weekly total",
    ),
    "volume.less": (
        "{change}, to make room for the extra sets",
        "{change}, so that the session does not get longer",
        "the extra sets need the time: {change}",
    ),
    "volume.add": (
        "{name} adds volume without crowding the other lifts",
        "more weekly sets with {name}",
        "extra work, as you asked: {name}",
    ),
    "volume.remove": (
        "without {name} there is room for more sets elsewhere",
        "left out so that the main work can grow",
    ),
    "swap.swap": (
        "you wanted something else for {name}; {new} trains the same muscles",
        "{new} in place of {name}, as you asked",
        "{new} covers what {name} did",
        "as you asked: {new} is a close match for {name}",
        "{new} does the job of {name} in another way",
    ),
    "swap.number": ("{change}, which suits the new exercise", "the new exercise needs it: {change}"),
    "move": (
        "you asked for another day for {name}",
        "as you asked, {name} moves; the days around it leave time to recover",
        "{name} fits there too, and you still have time to recover",
    ),
    "plateau.number": (
        "{cause} has stalled, so here is a new stimulus: {change}",
        "{change}, to get {cause} moving again",
        "the plateau needs a change: {change}",
        "{change}; the same again would bring the same result",
    ),
    "plateau.swap": (
        "{new} is a fresh stimulus where {name} has stalled",
        "a few weeks of {new} should get you past the plateau",
        "{name} has stopped moving; {new} works the same muscles from another side",
    ),
    "plateau.add": ("{name} supports {cause}, which has stalled", "extra work that carries over to {cause}: {name}"),
    "progress.number": (
        "you are getting stronger: {change}",
        "{change}, the next step after your progress",
        "progress deserves more: {change}",
        "{change}, because you are ready for it",
        "{change}, to keep the progress going",
    ),
    "progress.add": ("{name} is the next step after your progress", "you have earned more work: {name}"),
    "deload.number": (
        "{change}, for a lighter week",
        "you are tired, so take it easier: {change}",
        "{change}, so that fatigue can go down",
        "a deload: {change}",
        "recovery first: {change}",
    ),
    "deload.remove": ("{name} can rest until you feel fresh", "one thing less while you recover: {name}"),
    "as it was": (
        "{name} stays at {value}",
        "{name} keeps {value}",
        "no change for {name}: still {value}",
    ),
    "return.number": (
        "{change}, to ease back in after the missed sessions",
        "after the gap, a step back first: {change}",
        "{change}, so that the return is not a shock",
        "a soft restart: {change}",
    ),
    "return.remove": (
        "{name} can wait until you are back in rhythm",
        "shorter sessions are easier to keep up: {name} goes",
    ),
}
_FALLBACK: dict[str, tuple[str, ...]] = {
    "number": (
        "{change}, to keep the week balanced",
        "{change}, which fits the rest of the week",
        "to match the rest of the week: {change}",
        "{change}, so that the day stays in balance",
    ),
    "add": ("{name} keeps the week balanced", "{name} rounds off the day", "{name} fills what was missing"),
    "remove": (
        "{name} can go without a loss",
        "the week is better balanced without {name}",
        "the day is complete without {name}",
    ),
    "swap": ("{new} fits better here than {name}", "{new} keeps the week balanced"),
}


class Voice:
    """Says reasons in varied words for one answer; `cause` is what this answer is all about."""

    def __init__(self, cause: str, chance: Callable[[], float]) -> None:
        self._cause = _ARTICLE_AFTER_YOUR.sub("your ", cause)
        self._chance = chance

    def __call__(self, reason: str, about: dict[str, str]) -> str:
        """Word a reason about an exercise, a day or a number."""
        kind = _kind(about)
        templates = self._templates(reason, kind, about)
        change = self._change(about) if kind == "number" else ""
        value = _with_unit(about["field"], about["value"]) if kind == "number" else ""
        words = about | {"cause": self._cause, "change": change, "value": value}
        text = self._pick(templates).format_map(words)
        return f"{text[0].upper()}{text[1:]}"[:240]

    def _templates(self, reason: str, kind: str, about: dict[str, str]) -> tuple[str, ...]:
        against = kind == "number" and about["field"] != "rir" and _amount(about["value"]) < _amount(about["before"])
        for_less = _WORDS.get(f"{reason}.less") if against else None
        return for_less or _WORDS.get(f"{reason}.{kind}") or _WORDS.get(reason) or _FALLBACK[kind]

    def _change(self, about: dict[str, str]) -> str:
        """Word a number and what it was before: "3 sets instead of 2"."""
        value, before = about["value"], about["before"]
        turn = self._pick(_TURNS)
        if value == before:
            return _with_unit(about["field"], value)
        way = "up" if _amount(value) > _amount(before) else "down"
        worded = {"value": _with_unit(about["field"], value), "before": before.split()[0], "way": way}
        return turn.format_map(worded)

    def _pick(self, options: tuple[str, ...]) -> str:
        return options[int(self._chance() * len(options))]


def _amount(worded: str) -> int:
    """Return the number in "3 sets" or "90 s"."""
    return int(worded.split()[0])


def _with_unit(field: str, worded: str) -> str:
    """Return a number as it stands in a sentence; minutes are of a whole exercise, reps and seconds of a set."""
    return worded if worded.endswith("min") else _UNITS.get(field, "{}").format(worded)


def _kind(about: dict[str, str]) -> str:
    if "field" in about:
        return "number"
    if "new" in about:
        return "swap"
    return about["op"]
