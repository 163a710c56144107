"""Judge: a raw reply into a TeacherResponse: parsed, checked for its person, scored, and sketched."""

from functions.teacher.asks import Reply
from functions.teacher.sketch import sketch
from shared.coach.reasoning import strip_reasoning
from shared.coach.scoring import score
from shared.prompt import Prompt
from shared.records import Query, TeacherResponse


def judged(query: Query, prompt: Prompt, reply: Reply, provider: str, model: str) -> TeacherResponse:
    """Return what the checker and the scoring rules make of a reply."""
    text = strip_reasoning(reply.text)
    verdict = score(query.prompt_type, query.scenario, query.profile, query.plan, text)
    rejections, findings = verdict.rejections, verdict.findings
    if reply.error is not None:
        rejections, findings = ("no_answer", *rejections), (reply.error, *findings)
    elif reply.call.finish_reason in ("length", "content_filter"):
        reason = {"length": "cut_off", "content_filter": "filtered"}[reply.call.finish_reason]
        rejections, findings = (reason, *rejections), (f"finish reason {reply.call.finish_reason}", *findings)
    return TeacherResponse(
        query_id=query.query_id,
        user_id=query.user_id,
        prompt_type=query.prompt_type,
        instruction=prompt.user,
        system=prompt.system,
        response=text,
        provider=provider,
        model=model,
        slice_tags=query.slice_tags,
        constraints=query.constraints,
        summary=prompt.summary,
        rejections=rejections,
        findings=findings,
        safety_flags=verdict.safety_flags,
        scores=verdict.scores,
        weekly_sets=verdict.weekly_sets,
        sketch=sketch(f"{query.request}\n{text}"),
        call=reply.call,
        cache_key=reply.cache_key,
    )
