"""Autopsy: what a dead message was, which function could not take it, and why.

Pub/Sub tells the subscription and how often it tried, in attributes that it adds. It does not tell what
the function answered; that stands in the state of the run, or shows when the message is read once more.
Whatever cannot be found out is said to be unknown: the message is kept in any case, because one that is
refused would only come again.
"""

import logging

from shared.bus import Message, event_in
from shared.dead_letters import DeadLetter, bury
from shared.documents import Documents
from shared.errors import Rejected
from shared.events import of_a_run
from shared.run_state import delivery, delivery_key, describe

MARK = "CloudPubSubDeadLetterSource"
UNKNOWN = "unknown"
NEVER_ANSWERED = "it never answered: it was down, was killed each time, or took longer than it may"

log = logging.getLogger("fitsense.dead_letters")


def settle(dead: Message, documents: Documents) -> None:
    """Keep a message that came by the dead-letter topic, unless another copy of it did succeed."""
    letter = _letter(dead, documents)
    fields = {"function": letter.function, "run_id": letter.run_id, "error": letter.error}
    if letter.error:
        bury(documents, letter)
        log.error("dead letter", extra=fields)
    else:
        log.info("a copy of this message was delivered", extra=fields)


def _letter(dead: Message, documents: Documents) -> DeadLetter:
    topic, _, function = dead.attributes.get(f"{MARK}Subscription", "").partition("--")
    attributes = {name: value for name, value in dead.attributes.items() if not name.startswith(MARK)}
    original = Message(topic or UNKNOWN, dead.data, attributes)
    count = dead.attributes.get(f"{MARK}DeliveryCount", "")
    attempts = int(count) if count.isdecimal() else 0
    return DeadLetter.of(original, function or UNKNOWN, attempts, _cause(original, function, documents))


def _cause(message: Message, function: str, documents: Documents) -> str:
    """Return why a function could not take a message; nothing where it could."""
    try:
        event = event_in(message)
    except Rejected as exc:
        return describe(exc)
    if not of_a_run(event):
        return NEVER_ANSWERED
    found = delivery(documents, event.run_id, delivery_key(function, event))
    if found and found.status == "done":
        return ""
    return found.error if found and found.error else NEVER_ANSWERED
