"""Shadow: the same request put to another version, which nobody waits for and nobody sees.

It is asked after the answer has been given, as background work, and only while a slot is free and nobody waits; its
answer is recorded as an interaction that names the one it shadows, for comparison.
"""

import asyncio
from dataclasses import replace

from services.inference_router.asked import Asked
from services.inference_router.http import Headers
from services.inference_router.interactions import Interaction
from services.inference_router.router import Router
from services.inference_router.turn import Turn


class Nobody:
    """A client who is not there."""

    async def respond(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Drop it."""

    async def begin(self, headers: Headers) -> None:
        """Drop it."""

    async def send(self, data: bytes) -> None:
        """Drop it."""

    async def end(self) -> None:
        """Drop it."""

    async def gone(self) -> None:
        """Never leave."""
        await asyncio.Event().wait()


def shadow(router: Router, answered: Interaction, asked: Asked, user: str) -> None:
    """Ask the shadow too, where there is one for this user and nobody has to wait for it."""
    target = router.table.routes.shadowed(asked.alias, user)
    if target is None or router.draining or not router.backends.of(target).turnstile.idle:
        return
    interaction = Interaction(
        request_id=answered.request_id,
        caller=answered.caller,
        user=answered.user,
        prompt_type=answered.prompt_type,
        context={"shadow_of": answered.interaction_id},
    )
    question = replace(asked, alias=target.version, stream=False)

    async def read() -> Asked:
        return question

    task = asyncio.create_task(Turn(router, Nobody(), interaction, f"shadow:{user}", "background").run(read))
    router.tasks.add(task)
    task.add_done_callback(router.tasks.discard)
