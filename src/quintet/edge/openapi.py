"""The description of the HTTP side, completed: what every refusal looks like, and which calls can be refused with what.

FastAPI describes what a route answers when all is well, and a 422 that we never send.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from quintet.errors import CODES

__all__ = ["describe_refusals"]

_REFERENCE = {"$ref": "#/components/responses/Problem"}
_PROBLEM = {
    "title": "Problem",
    "description": "A refusal (RFC 9457). `code` is the fact for programs, `detail` the sentence for people.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(CODES)},
        "request_id": {"type": "string"},
        "pending_token": {"type": "string", "description": "Of `factor_required`: for `/v1/auth/login/factor`."},
        "expires_in": {"type": "integer", "description": "Of `factor_required`: for how many seconds."},
        "error": {"type": "string", "description": "Of `/v1/auth/token`: the code of RFC 6749, 5.2."},
        "error_description": {"type": "string", "description": "Of `/v1/auth/token`: the sentence again."},
    },
}
_ANSWER = {
    "description": "Refused.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
}
_ALWAYS = (400, 403, 422, 429, 431, 500, 503, 507)
_WITH_A_BODY = (409, 413, 415)
_NOT_OURS = ("HTTPValidationError", "ValidationError")


def describe_refusals(app: FastAPI) -> None:
    """Let `app` describe itself with every status that it can answer."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(plain())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _NOT_OURS:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    components["responses"] = {"Problem": _ANSWER}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            for status in _statuses(path, operation):
                operation["responses"][str(status)] = _REFERENCE
    return schema


def _statuses(path: str, operation: dict[str, Any]) -> Iterator[int]:
    yield from _ALWAYS
    if operation.get("security") or path.startswith("/v1/auth/"):
        yield 401
    if "{" in path:
        yield 404
    if "requestBody" in operation:
        yield from _WITH_A_BODY
