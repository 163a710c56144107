"""Asking: `fitsense ask`, a question to the coach of the services that run, its answer told while it comes.

Who asks is the user of a token, or else somebody of this machine's own, an adult beginner: signed up with the
first question, and remembered in OUT/asker.json.
"""

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx

from deploy.options import errors_are_messages, json_option, out_option
from shared.errors import Unavailable
from shared.frozen import Frozen

ANSWER_S = 180.0
"""How long a model may say nothing; the services give up sooner."""
FIRST_TOLD = {"age": 30, "sex": "other", "height_cm": 175, "weight_kg": 72, "goals": ["general_fitness"]}
FIRST_TOLD |= {"activity_level": "lightly_active", "experience": "beginner", "days_per_week": 3, "equipment": []}

Json = dict[str, Any]


class Asker(Frozen):
    """Who asks from this machine."""

    name: str = "Asker"
    email: str
    password: str


@click.command()
@click.argument("message")
@click.option("--token", envvar="FITSENSE_TOKEN", show_envvar=True, help="Whose access token to ask with.")
@click.option("--url", envvar="FITSENSE_URL", show_envvar=True, help="Of the services.  [default: the stack on OUT]")
@out_option
@json_option
@errors_are_messages
def ask(message: str, token: str | None, url: str | None, out: Path, as_json: bool) -> None:
    """Ask the coach of the stack that runs, and read along.

    Without a token, somebody of this machine's own asks, who has told nothing but to be an adult beginner.
    """
    with httpx.Client(base_url=url or _url(out), timeout=httpx.Timeout(10, read=ANSWER_S), trust_env=False) as http:
        try:
            http.headers["Authorization"] = f"Bearer {token or _own_token(http, out / 'asker.json')}"
            with http.stream("POST", "/v1/coach:stream", json={"message": message}) as response:
                reply = _told(events(right(response).iter_lines()), quietly=as_json)
        except httpx.TransportError as exc:
            raise Unavailable(f"the services at {http.base_url} do not answer: {type(exc).__name__}") from exc
    writer = reply["writer"]
    if as_json:
        click.echo(json.dumps(reply, indent=2))
    else:
        by = writer["model_version"] or f"the {writer['kind'].replace('_', '-')} coach ({writer['reason']})"
        click.echo(f"— {by}", err=True)


def _url(out: Path) -> str:
    from deploy.local.stack import running

    found = running(out)
    if found is None:
        raise Unavailable(f"no stack runs on {out}: `fitsense up --detach` starts one")
    return found.environment["FITSENSE_URL"]


def _own_token(http: httpx.Client, file: Path) -> str:
    """Return an access token of this machine's own user, who is made where there is none on this database."""
    try:
        who = Asker.model_validate_json(file.read_bytes())
        response = http.post("/v1/auth/login", json={"email": who.email, "password": who.password})
    except FileNotFoundError:
        who, response = _remembered(file), None
    if response is None or response.status_code == 401:
        response = http.post("/v1/auth/signup", json=who.model_dump())
    session: Json = right(response).json()
    token: str = session["access_token"]
    if session["needs_onboarding"]:
        right(http.put("/v1/profile", json=FIRST_TOLD, headers={"Authorization": f"Bearer {token}"}))
    return token


def _remembered(file: Path) -> Asker:
    who = Asker(email=f"asker-{secrets.token_hex(4)}@example.com", password=secrets.token_urlsafe(18))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as kept:
            kept.write(who.model_dump_json())
    except OSError as exc:
        raise Unavailable(f"cannot write {file}: {exc.strerror}") from exc
    return who


def right(response: httpx.Response) -> httpx.Response:
    """Return a response that is one; raises Unavailable with what the services say is wrong."""
    if response.is_success:
        return response
    response.read()
    try:
        error = response.json()["error"]
        fields = "".join(f"; {one['field']}: {one['message']}" for one in error.get("fields", ()))
        raise Unavailable(f"{error['message']}{fields}")
    except (ValueError, KeyError, TypeError) as exc:
        raise Unavailable(f"{response.url} answered {response.status_code}") from exc


def events(lines: Iterable[str]) -> Iterator[tuple[str, Json]]:
    """Yield the server-sent events of a response's lines, each with its name."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def _told(events: Iterable[tuple[str, Json]], quietly: bool) -> Json:
    """Print the words as they come; returns the reply, whole."""
    for name, content in events:
        if name == "reply":
            click.echo(nl=not quietly)
            return content
        if name == "error" and content["final"]:
            raise Unavailable(content["message"])
        if name == "error":
            click.echo(f"\n[{content['message']}]", err=True)
        elif not quietly:
            click.echo(content["text"], nl=False)
    raise Unavailable("the answer broke off")
