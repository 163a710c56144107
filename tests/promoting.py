"""Promoting: registered models with evaluations, and requests put to the promotion function as it is deployed."""

from pathlib import Path

from deploy.worker import phase_function, push
from shared import registry
from shared.bus import Outbox, event_in, message
from shared.documents import Documents
from shared.eval_report import EvalReport
from shared.events import Environment, ModelPromoted, PromoteRequested, PromotionRejected
from shared.registry import Decision, Pointer
from shared.runtime import Runtime, build, use
from shared.settings import Settings
from tests.eval_reports import a_mode, an_eval_report
from tests.models import RUN_ID, put_model

EXCELLENT = {"passed": 0.99, "strict_plan": 0.99, "followed": 0.99, "escalated": 0.99, "within_limits": 0.99}


class Promoting:
    """A registry in a directory."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.published: list[ModelPromoted | PromotionRejected] = []

    @classmethod
    def in_directory(cls, root: Path) -> "Promoting":
        """Return the registry of a directory, with this process working on it."""
        return cls.on(build(Settings(out=root)))

    @classmethod
    def on(cls, runtime: Runtime) -> "Promoting":
        """Return the registry of a runtime, with this process working on it."""
        made = cls(runtime)
        made.adopt()
        return made

    def adopt(self) -> None:
        """Have phases of this process work here."""

        def note(sent: object) -> None:
            event = event_in(sent)  # type: ignore[arg-type]
            assert isinstance(event, ModelPromoted | PromotionRejected)
            self.published.append(event)

        around = self.runtime
        use(
            Runtime(
                settings=around.settings,
                store=around.store,
                bus=Outbox(note),
                documents=around.documents,
                inbox=around.inbox,
                lease=around.lease,
                launchers=around.launchers,
                subscription=around.subscription,
            )
        )

    @property
    def documents(self) -> Documents:
        """The documents of the registry."""
        return self.runtime.documents

    def model(
        self, name: str, report: EvalReport | None = None, served_in: tuple[Environment, ...] = ("dev", "stage")
    ) -> str:
        """Register a model and return its version; an excellent one, but for the report that is given."""
        version = registry.version_of(RUN_ID, name, "tiny")
        excellent = a_mode(EXCELLENT)  # type: ignore[arg-type]
        whole = report or an_eval_report(modes={"grammar": excellent, "schema": excellent, "free": excellent})
        content = whole.model_copy(update={"version": version}).model_dump_json().encode()
        manifest = put_model(self.runtime.store, name, content)
        assert manifest.version == version
        registry.register(self.documents, manifest, "uri")
        for environment in served_in:
            registry.note_served(self.documents, version, environment)
        return version

    def ask(self, version: str, environment: Environment = "dev", **more: object) -> ModelPromoted | PromotionRejected:
        """Ask for a promotion and return what was published."""
        return self.deliver(request(version, environment, **more))

    def deliver(self, asked: PromoteRequested) -> ModelPromoted | PromotionRejected:
        """Deliver a request and return what was published."""
        before = len(self.published)
        phase_function("promotion")(push(message(asked)))
        (found,) = self.published[before:]
        return found

    def pointer(self, environment: Environment = "dev") -> Pointer | None:
        """Return where an environment points."""
        return registry.pointer(self.documents, environment)[0]

    def decisions(self) -> list[Decision]:
        """Return every decision."""
        return registry.decisions(self.documents)


def request(version: str, environment: Environment = "dev", **more: object) -> PromoteRequested:
    """Return a request."""
    fields = {"run_id": RUN_ID, "version": version, "environment": environment, "actor": "ana", "reason": "better"}
    return PromoteRequested.model_validate(fields | more)
