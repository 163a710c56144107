"""Wiring: the router's parts on this process's stack."""

from services.inference_router.app import Deps
from services.inference_router.callers import ApiKeys, Identities
from services.inference_router.cards import StoredCards
from services.inference_router.settings import RouterSettings
from shared.events import Environment
from shared.identity import services
from shared.registry import pointer
from shared.runtime import Runtime
from shared.telemetry import make_tracer

SERVICE = "inference-router"


def deps(settings: RouterSettings, runtime: Runtime) -> Deps:
    """Return what the router needs."""

    def promoted(environment: Environment) -> tuple[str, int] | None:
        found, _ = pointer(runtime.documents, environment)
        return (found.version, found.percent) if found else None

    audience = runtime.settings.audience or SERVICE
    known = services(runtime.settings.model_copy(update={"service": SERVICE}))
    return Deps(
        settings=settings,
        documents=runtime.documents,
        bus=runtime.bus,
        cards=StoredCards(runtime.store),
        pointer=promoted,
        callers=(ApiKeys(settings.api_keys), Identities(known, (audience,))),
        pushers=(Identities(known, (audience, *([settings.push_audience] if settings.push_audience else []))),),
        tracer=make_tracer(SERVICE, runtime.settings.traces_url),
    )
