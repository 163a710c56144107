"""Reasons: the words a coach gives for a change, varied, and about this person and this exercise."""

from collections.abc import Callable

_FIELDS = {
    "sets": ("{value} instead of {before}", "going from {before} to {value}", "{value} from now on"),
    "reps": (
        "{value} a set instead of {before}",
        "going from {before} to {value} a set",
        "{value} a set from now on",
    ),
    "rir": (
        "RIR {value} instead of {before}",
        "going from RIR {before} to {value}",
        "stopping at RIR {value}",
    ),
    "rest": (
        "{value} of rest instead of {before}",
        "resting {value} rather than {before}",
        "{value} of rest",
    ),
}
_WORDS: dict[str, tuple[str, ...]] = {
    "safe.swap": (
        "{new} does the same job and goes well with {cause}",
        "{name} does not fit {cause}; {new} does",
        "because of {cause}, {new} is the better choice than {name}",
        "with {cause}, {name} asks too much; {new} trains the same muscles",
        "keeps the movement in the plan while respecting {cause}",
        "{new} spares what {cause} makes sensitive",
    ),
    "safe.remove": (
        "{name} does not go together with {cause}",
        "not a good idea with {cause}, and the rest of the day covers it",
        "left out because of {cause}; the other exercises do the work",
        "{cause} rules {name} out for now",
    ),
    "safe.number": (
        "{change}, to stay on the safe side with {cause}",
        "{cause} calls for it: {change}",
        "{change}, which is what {cause} allows",
        "a little more margin because of {cause}: {change}",
        "{change}, so that {cause} is not provoked",
    ),
    "safe.add": (
        "{name} fills the gap and suits {cause}",
        "keeps the week complete in spite of {cause}",
        "a gentle way to keep training with {cause}",
    ),
    "kit.swap": (
        "{new} needs nothing beyond {cause}",
        "{name} cannot be done with {cause}; {new} can",
        "{new} trains the same thing with {cause}",
        "same movement, but possible with {cause}",
    ),
    "kit.remove": (
        "{name} cannot be done with {cause}, and the day is complete without it",
        "no way to do {name} with {cause}",
        "left out, since {cause} is what there is",
    ),
    "kit.number": (
        "{change}, which suits training with {cause}",
        "lighter resistance with {cause}, so {change}",
        "{change}, to make up for having {cause}",
    ),
    "kit.add": (
        "{name} works with {cause} and rounds off the day",
        "replaces what is lost by having {cause}",
        "possible with {cause}, and it keeps the week balanced",
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
        "the day has to fit {cause}, hence {change}",
    ),
    "time.remove": (
        "{name} is what can go first when there are only {cause}",
        "left out to fit {cause}; the main work stays",
        "makes room: the day now fits {cause}",
        "{cause} is enough for the other exercises, not for {name} too",
    ),
    "time.swap": ("{new} takes less time than {name}", "{new} fits {cause} better than {name}"),
    "time.add": (
        "{name} keeps the shorter week complete",
        "a short {name} keeps every muscle group in the week",
    ),
    "days.remove": (
        "you asked for {cause}; what {name} trained is covered on the days that stay",
        "with {cause}, {name} is the day that costs least to drop",
        "one day less, as you asked; {name} overlaps most with the others",
        "{cause} it is; the other days take over from {name}",
    ),
    "days.number": (
        "{change}, because there are {cause} now",
        "with {cause} each session carries a bit more: {change}",
        "{change}, to balance the shorter week",
    ),
    "days.add": (
        "{name} makes up for the day that went",
        "brings back what the dropped day trained",
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
        "a notch harder with {change}",
        "{change}, because you are ready for more",
    ),
    "harder.add": ("{name} adds a challenge", "more work, as you asked: {name}"),
    "harder.swap": ("{new} is the tougher version of {name}", "{new} asks more of you than {name}"),
    "easier.number": (
        "you asked for less: {change}",
        "{change}, which takes the edge off",
        "easier to recover from with {change}",
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
    "volume.add": (
        "{name} adds volume without crowding the other lifts",
        "more weekly sets with {name}",
        "extra work, as you asked: {name}",
    ),
    "volume.remove": ("{name} makes room for more sets elsewhere", "left out so that the main work can grow"),
    "swap.swap": (
        "you wanted something else for {name}; {new} trains the same muscles",
        "{new} in place of {name}, as you asked",
        "{new} covers what {name} did",
        "as you asked: {new} is a close match for {name}",
        "{new} does the job of {name} in another way",
    ),
    "swap.number": ("{change}, which suits the new exercise", "{change}, as this exercise needs"),
    "move": (
        "you asked for another day for {name}",
        "as you asked, {name} moves; the days around it leave time to recover",
        "{name} fits there too, and recovery stays intact",
    ),
    "plateau.number": (
        "{cause} has stalled, so a new stimulus: {change}",
        "{change}, to get {cause} moving again",
        "the plateau needs a change: {change}",
        "{change}; the same again would bring the same result",
    ),
    "plateau.swap": (
        "{new} is a fresh stimulus where {name} has stalled",
        "a few weeks of {new} should get you past the plateau",
        "{name} has stopped moving; {new} works the same muscles from another side",
    ),
    "plateau.add": ("{name} supports {cause}, which has stalled", "extra work that carries over to {cause}"),
    "progress.number": (
        "you are getting stronger, so {change}",
        "{change}, the next step after your progress",
        "progress deserves more: {change}",
        "{cause} is going up, hence {change}",
        "{change}, to keep the progress going",
    ),
    "progress.add": ("{name} is the next step after your progress", "you have earned more work: {name}"),
    "deload.number": (
        "{change} for a lighter week",
        "you are tired, so {change}",
        "{change}, so that fatigue can go down",
        "a deload: {change}",
        "recovery first: {change}",
    ),
    "deload.remove": ("{name} can rest until you feel fresh", "one thing less while you recover: {name}"),
    "as it was": (
        "{name} stays at {value}",
        "{name} keeps its {value}",
        "no change for {name}: still {value}",
    ),
    "return.number": (
        "{change} to ease back in after the missed sessions",
        "after the gap, {change}",
        "{change}, so that the return is not a shock",
        "a soft restart: {change}",
    ),
    "return.remove": (
        "{name} can wait until you are back in rhythm",
        "shorter sessions are easier to keep: {name} goes",
    ),
}
_FALLBACK = {
    "number": (
        "{change}, to keep the week balanced",
        "{change}, which fits the rest of the week",
        "the rest of the week calls for {change}",
        "{change}, so that the day still adds up",
    ),
    "add": ("{name} keeps the week balanced", "{name} rounds off the day", "{name} fills what was missing"),
    "remove": (
        "{name} can go without a loss",
        "left out to keep the week balanced",
        "the day is complete without {name}",
    ),
    "swap": ("{new} fits better here than {name}", "{new} keeps the week balanced"),
}


class Voice:
    """Says reasons in varied words for one answer; `cause` is what this answer is all about."""

    def __init__(self, cause: str, chance: Callable[[], float]) -> None:
        self._cause = cause
        self._chance = chance

    def __call__(self, reason: str, about: dict[str, str]) -> str:
        """Word a reason about an exercise, a day or a number."""
        kind = _kind(about)
        templates = _WORDS.get(f"{reason}.{kind}") or _WORDS.get(reason) or _FALLBACK[kind]
        change = self._pick(_FIELDS[about["field"]]).format_map(about) if "field" in about else ""
        text = self._pick(templates).format_map(about | {"cause": self._cause, "change": change})
        return f"{text[0].upper()}{text[1:]}"[:240]

    def _pick(self, options: tuple[str, ...]) -> str:
        return options[int(self._chance() * len(options))]


def _kind(about: dict[str, str]) -> str:
    if "field" in about:
        return "number"
    if "new" in about:
        return "swap"
    return about["op"]
