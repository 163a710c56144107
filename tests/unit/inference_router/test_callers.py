"""Callers: whose token it is, and whom a caller may speak for."""

import asyncio

import pytest

from services.inference_router.api_errors import ApiError
from services.inference_router.callers import ApiKeys, Caller, Identities, authenticate
from shared.errors import Unauthenticated, Unavailable

AUDIENCE = "inference-router"


class Signed:
    """Services whose tokens say who they are and whom they are for: <name>.<audience>.x"""

    def __init__(self) -> None:
        self.checks = 0
        self.down = False

    def sign(self, audience: str) -> str:
        return f"plan.{audience}.x"

    def check(self, token: str, audience: str) -> str:
        self.checks += 1
        if self.down:
            raise Unavailable("Google's keys cannot be had")
        name, meant, _ = token.split(".")
        if meant != audience:
            raise Unauthenticated("not for this service")
        return name


def who(token: str, signed: Signed | None = None) -> Caller:
    known = (ApiKeys({"app": "sk-1", "admin-anna": "sk-2"}), Identities(signed or Signed(), (AUDIENCE,)))
    return asyncio.run(authenticate(known, f"Bearer {token}"))


def test_a_key_is_its_owners_and_speaks_for_nobody_else() -> None:
    assert who("sk-1") == Caller("key:app", admin=False, speaks_for_users=False)
    assert who("sk-2").admin


def test_a_services_identity_speaks_for_its_users_and_is_no_admin() -> None:
    assert who("plan.inference-router.x") == Caller("plan", admin=False, speaks_for_users=True)


@pytest.mark.parametrize("token", ["", "sk-3", "plan.logging.x", "a.b.c", "\udcff"])
def test_everything_else_is_nobodys(token: str) -> None:
    with pytest.raises(ApiError) as refused:
        who(token)
    assert refused.value.status == 401


def test_an_identity_is_checked_once_and_not_at_every_request() -> None:
    signed = Signed()
    identities = Identities(signed, (AUDIENCE,))

    async def twice() -> None:
        await authenticate((identities,), "Bearer plan.inference-router.x")
        await authenticate((identities,), "Bearer plan.inference-router.x")

    asyncio.run(twice())
    assert signed.checks == 1


def test_that_identities_cannot_be_checked_is_not_the_callers_fault() -> None:
    signed = Signed()
    signed.down = True
    with pytest.raises(ApiError) as refused:
        who("plan.inference-router.x", signed)
    assert refused.value.status == 503
