"""OpenAPI: a service's document, 3.1, made of its routes and of the models in their signatures."""

import re
from collections.abc import Iterator
from typing import Any, Final, get_args

import flask
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema
from werkzeug.routing import AnyConverter, Rule

from shared.endpoints import Operation
from shared.errors import FitsenseError, InvalidFields, Unavailable
from shared.errors import Throttled as TooMany
from shared.statuses import STATUSES, status_of

Json = dict[str, Any]

REF: Final = "#/components/schemas/{model}"
ERROR: Final[Json] = {
    "type": "object",
    "description": "What went wrong, in one form everywhere.",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "For programs; does not change."},
                "message": {"type": "string", "description": "For people."},
                "request_id": {"type": "string", "description": "Name it when you ask for help."},
                "fields": {
                    "type": "array",
                    "description": "The fields that are wrong, where it is fields.",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "additionalProperties": False,
                        "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                    },
                },
            },
        }
    },
}
SECURITY: Final[Json] = {
    "user": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A user's access token."},
    "service": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A service's identity."},
}
ETAG: Final[Json] = {"description": "The version, for If-Match.", "schema": {"type": "string"}}
PATH_TYPES: Final[dict[str, Json]] = {
    "UUIDConverter": {"type": "string", "format": "uuid"},
    "DayConverter": {"type": "string", "format": "date"},
    "IntegerConverter": {"type": "integer", "minimum": 0},
}


def title_of(service: str) -> str:
    """Return the title of a service's document."""
    return f"FitSense {service}"


def document(app: flask.Flask, title: str, description: str) -> Json:
    """Return the OpenAPI document of an app."""
    found = list(_operations(app))
    models = _models([operation for _, _, operation in found])
    paths: dict[str, Json] = {}
    for rule, method, operation in found:
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = _operation(rule, operation)
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": description},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Error": ERROR, **schemas.get("$defs", {})},
            "securitySchemes": SECURITY,
        },
    }


def _operations(app: flask.Flask) -> Iterator[tuple[Rule, str, Operation]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if isinstance(operation, Operation):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method, operation


def _models(operations: list[Operation]) -> list[type[BaseModel]]:
    used = [one for operation in operations for one in (operation.body, *_alternatives(operation.returns))]
    return list(dict.fromkeys(one for one in used if isinstance(one, type) and issubclass(one, BaseModel)))


def _operation(rule: Rule, operation: Operation) -> Json:
    shown: Json = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": operation.summary,
        "description": operation.description,
        "tags": [rule.endpoint.partition(".")[0]],
        "parameters": [*_path(rule), *_query(operation), *_headers(operation)],
        "responses": _responses(operation, bool(rule.arguments)),
        "security": [] if operation.public else [{"user": []}] if operation.user else [{"service": []}],
    }
    if operation.body is not None:
        content = {"application/json": {"schema": {"$ref": REF.format(model=operation.body.__name__)}}}
        shown["requestBody"] = {"required": True, "content": content}
    return shown


def _path(rule: Rule) -> Iterator[Json]:
    for name, converter in rule._converters.items():
        schema = PATH_TYPES.get(type(converter).__name__, {"type": "string"})
        if isinstance(converter, AnyConverter):
            schema = {"enum": sorted(converter.items)}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(operation: Operation) -> Iterator[Json]:
    if operation.query is None:
        return
    schema = TypeAdapter(operation.query).json_schema(ref_template=REF)
    required = set(schema.get("required", ()))
    for name, one in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in required, "schema": _present(one)}


def _present(schema: Json) -> Json:
    """Return a query value's schema without null: what is not given is not there."""
    chosen = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    if len(chosen) == 1:
        rest |= chosen[0]
    if rest.get("default", 0) is None:
        del rest["default"]
    return rest


def _headers(operation: Operation) -> Iterator[Json]:
    if operation.version:
        schema = {"type": "string", "pattern": r'^"\d{1,9}"$'}
        text = "The ETag of the version that is being changed."
        yield {"name": "If-Match", "in": "header", "required": True, "schema": schema, "description": text}
    if operation.receipt or operation.unkept:
        schema = {"type": "string", "pattern": "^[!-~]{1,128}$"}
        text = "Makes a request that is sent again the same one: the answer is the first one's."
        if operation.unkept:
            text = "Taken and not kept: a request that is sent again is done again."
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "schema": schema, "description": text}


def _responses(operation: Operation, has_path: bool) -> Json:
    answer: Json = {"description": "Done."}
    returns = operation.returns
    if returns is not None:
        kind = "text/event-stream" if operation.streams else "application/json"
        schema: Json = _stream(returns) if operation.streams else {}
        if isinstance(returns, type) and issubclass(returns, BaseModel) and not operation.streams:
            schema = {"$ref": REF.format(model=returns.__name__)}
        answer["content"] = {kind: {"schema": schema}}
    responses: Json = {str(operation.status): answer}
    kinds: dict[str, list[type[FitsenseError]]] = {}
    for error in operation.raises:
        kinds.setdefault(str(_status(error)), []).append(error)
    if operation.body is not None:
        kinds.setdefault("415", [])
    if has_path:
        kinds.setdefault("404", [])
    for status, raised in sorted(kinds.items()):
        responses[status] = _failure(raised)
    return responses


def _stream(returns: object) -> Json:
    """Return the schema of one server-sent event, whose data are one of some models, as JSON."""
    models = [{"$ref": REF.format(model=one.__name__)} for one in _alternatives(returns)]
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"anyOf": models}}
    return {
        "type": "object",
        "description": "One event.",
        "required": ["event", "data"],
        "properties": {"event": {"type": "string"}, "data": data},
    }


def _alternatives(returns: object) -> list[type[BaseModel]]:
    """Return the models that an answer may be, or that the data of a stream's events may be."""
    return [one for one in get_args(returns) or (returns,) if isinstance(one, type) and issubclass(one, BaseModel)]


def _failure(kinds: list[type[FitsenseError]]) -> Json:
    text = " ".join((kind.__doc__ or "").splitlines()[0] for kind in kinds) or "The request cannot be taken so."
    shown: Json = {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": REF.format(model="Error")}}},
    }
    if any(issubclass(kind, TooMany | Unavailable) for kind in kinds):
        shown["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}
    return shown


def _status(kind: type[FitsenseError]) -> int:
    if kind in STATUSES:
        return STATUSES[kind][0]
    return status_of(InvalidFields(()))[0]
