"""Smoke: `python -m deploy.smoke URL...`: whether services answer at their own addresses, asked from the network.

The pipeline runs it as an execution of the job `migrate`: revisions without traffic are reachable from there alone.
/readyz, because Google's front end keeps /healthz for itself.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import click
import httpx

PATH = "/readyz"
TRIES = 5
PAUSE_S = 2.0
TIMEOUT_S = 30.0


def answer(url: str, pause_s: float) -> str:
    """Return what is wrong with a service, in the words of its last answer; nothing where it is ready."""
    wrong = ""
    for number in range(TRIES):
        time.sleep(pause_s * number)
        try:
            status = httpx.get(url + PATH, timeout=TIMEOUT_S).status_code
        except httpx.HTTPError as exc:
            wrong = f"{type(exc).__name__}: {exc}"
        else:
            wrong = "" if status == 200 else f"status {status}"
        if not wrong:
            break
    return wrong


@click.command()
@click.argument("urls", nargs=-1, required=True)
@click.option("--pause-s", type=float, default=PAUSE_S, help="Before the second try; longer before each further one.")
def main(urls: tuple[str, ...], pause_s: float) -> None:
    """Ask each of URLS whether it is ready. Exit status: 0 all are, 1 not."""
    with ThreadPoolExecutor(len(urls)) as together:
        found = dict(zip(urls, together.map(lambda url: answer(url, pause_s), urls), strict=True))
    for url, wrong in found.items():
        click.echo(f"{url}{PATH} {wrong or 'is ready'}")
    sys.exit(1 if any(found.values()) else 0)


if __name__ == "__main__":
    main()
