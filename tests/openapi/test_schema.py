"""The description of the HTTP side is true: a machine that knows nothing else finds no answer that is not in it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from quintet.testing.accounts.account import register
from support.routes import ROUTES
from support.server import Server

pytestmark = pytest.mark.l3

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
BUDGET = settings(
    max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
ENDS_OURS = ("/v1/auth/logout", "/v1/auth/password")  # would sign the caller out; /v1/events never ends


@pytest.fixture(scope="module")
def described(shared_server: Server) -> Any:
    """The server's own description."""
    return schemathesis.openapi.from_url(shared_server.url + "/v1/openapi.json")


@pytest.fixture(scope="module")
def token(shared_server: Server) -> Iterator[str]:
    """An account's access token."""
    yield register(shared_server).access_token


def explore(
    described: Any, calls: set[str], headers: dict[str, str], *, but: bool, known: dict[str, str] | None = None
) -> None:
    """Call the operations whose path is in `calls`, or every other, with right and wrong input, and look at each answer.

    `known` are ids that exist; every second call that needs one has one.
    """
    faults = []
    explored = 0
    for found in described.get_all_operations():
        operation = found.ok()
        if (operation.path in calls) == but:
            continue
        explored += 1

        @BUDGET
        @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES)), real=st.booleans())
        def look(case: Any, real: bool) -> None:
            for name in case.path_parameters or ():
                if real and known and case.method != "DELETE":
                    case.path_parameters[name] = known.get(name, "none")
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            look()
        except FailureGroup as group:
            faults += [f"{operation.label}: {fault}" for fault in group.exceptions]
    assert explored
    assert not faults, "\n\n".join(faults)


@pytest.fixture(scope="module")
def known(shared_server: Server, token: str) -> dict[str, str]:
    """A thread, a run and a file of the account."""
    with httpx.Client(
        base_url=shared_server.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as http:
        thread = http.post("/v1/threads").json()["id"]
        file = http.post("/v1/attachments", files={"file": ("a.txt", b"a")}).json()["id"]
        form = {"client_id": "c", "text": "hello", "agent": "echo", "attachments": [file]}
        run = http.post(f"/v1/threads/{thread}/messages", json=form).json()["run_id"]
    return {"thread_id": thread, "run_id": run, "attachment_id": file}


@pytest.mark.hang_guard(240)
def test_no_answer_is_undocumented(described: Any, token: str, known: dict[str, str]) -> None:
    """Any input, right or wrong: a documented status, type and form, and never a 5xx."""
    explore(described, {*ENDS_OURS, "/v1/events"}, {"Authorization": f"Bearer {token}"}, but=True, known=known)


def test_neither_of_what_would_sign_the_caller_out(described: Any) -> None:
    """The same, asked by nobody."""
    explore(described, set(ENDS_OURS), {"Authorization": "Bearer x"}, but=False)


def test_every_call_that_needs_a_token_refuses_without(shared_server: Server, described: Any) -> None:
    """Without, and with one that is none: 401 on every call that the description says is protected; the others are the known few."""
    open_calls = set()
    with httpx.Client(base_url=shared_server.url, trust_env=False) as http:
        for path, operations in described.raw_schema["paths"].items():
            for method, operation in operations.items():
                if not operation.get("security"):
                    open_calls.add(f"{method.upper()} {path}")
                    continue
                for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
                    told = http.request(method.upper(), path.replace("{", "").replace("}", ""), headers=headers)
                    assert told.status_code == 401, f"{method} {path}: {told.status_code}"
                    assert told.headers["content-type"] == "application/problem+json"
    assert open_calls == {route.name for route in ROUTES if route.whom == "open"}
