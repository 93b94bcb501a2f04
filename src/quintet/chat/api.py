"""The HTTP calls about conversations. A route knows its user by an argument, and answers with what the transaction read."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from quintet import runs
from quintet.chat import attachments, reading
from quintet.chat.deleting import delete_thread
from quintet.chat.submit import Submitting
from quintet.chat.threads import create_thread, rename_thread
from quintet.chat.uploads import Uploads, download
from quintet.edge.bodies import StrictJSONRoute
from quintet.protocol import ATTACHMENTS, Send
from quintet.scope import Identity, UserScope
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["cancelling", "chat_router"]

Cancelling = Callable[[UserScope, str], Awaitable[dict[str, str]]]

After = Annotated[str | None, Query(max_length=40)]
Limit = Annotated[int, Query(ge=1, le=200)]

_FILE = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
_FORM = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FILE}}}}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}


class NewThread(BaseModel):
    """A thread to be opened."""

    model_config = ConfigDict(extra="forbid")
    title: str | None = Field(default=None, min_length=1, max_length=200)


class Renaming(BaseModel):
    """What of a thread may be changed."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)


class NewMessage(BaseModel):
    """A message to a thread. The text's bound is in bytes and is checked where every message passes."""

    model_config = ConfigDict(extra="forbid", strict=True)
    client_id: str = Field(min_length=1, max_length=64)
    text: str
    agent: str | None = None
    attachments: list[str] = Field(default=[], max_length=ATTACHMENTS)


def cancelling(store: Store, sources: Sources, *, most_running: int = runs.RUNNING_PER_USER) -> Cancelling:
    """The one way to stop a run: `cancel(scope, run_id)` answers its id and its state at the commit of the cancel.

    It raises QuintetError `not_found`, or the store's.
    """

    async def cancel(scope: UserScope, run_id: str) -> dict[str, str]:
        moment = runs.moment(sources)
        state = await store.of(scope.user_id).write(
            scope.user_id,
            lambda tx: runs.cancel(tx, scope.user_id, run_id, "user", moment, most_running=most_running),
        )
        return {"run_id": run_id, "state": state}

    return cancel


def chat_router(
    store: Store,
    sources: Sources,
    identity: Callable[[Request], Awaitable[Identity]],
    submit: Submitting,
    cancel: Cancelling,
    *,
    attachment_bytes: int = 5_000_000,
    most_running: int = runs.RUNNING_PER_USER,
) -> APIRouter:
    """Threads, messages, runs, agents, attachments and the snapshot."""
    router = APIRouter(prefix="/v1", route_class=StrictJSONRoute)
    Me = Annotated[Identity, Depends(identity)]  # noqa: N806 - a type

    @router.get("/agents")
    async def list_agents(me: Me) -> dict[str, Any]:
        return {"items": await store.of(me.user_id).read(reading.agents_in)}

    @router.get("/snapshot")
    async def take_snapshot(me: Me) -> dict[str, Any]:
        return await store.of(me.user_id).read(lambda tx: reading.snapshot(tx, me.scope))

    _add_threads(router, store, sources, Me, most_running)
    _add_messages(router, store, Me, submit)
    _add_runs(router, store, Me, cancel)
    _add_files(router, store, sources, Me, Uploads(attachment_bytes))
    return router


def _add_threads(router: APIRouter, store: Store, sources: Sources, Me: Any, most_running: int) -> None:  # noqa: N803 - a type
    @router.get("/threads")
    async def list_threads(me: Me, after: After = None, limit: Limit = 50) -> dict[str, Any]:
        return await store.of(me.user_id).read(lambda tx: reading.thread_page(tx, me.scope, after, limit))

    @router.post("/threads", status_code=201)
    async def new_thread(me: Me, body: NewThread | None = None) -> dict[str, Any]:
        moment, title = runs.moment(sources), body.title if body else None
        return await store.of(me.user_id).write(me.user_id, lambda tx: create_thread(tx, me.scope, title, moment))

    @router.get("/threads/{thread_id}")
    async def one_thread(me: Me, thread_id: str) -> dict[str, Any]:
        return await store.of(me.user_id).read(lambda tx: reading.thread_of(tx, me.scope, thread_id))

    @router.patch("/threads/{thread_id}")
    async def rename(me: Me, thread_id: str, body: Renaming) -> dict[str, Any]:
        moment = runs.moment(sources)
        return await store.of(me.user_id).write(
            me.user_id, lambda tx: rename_thread(tx, me.scope, thread_id, body.title, moment)
        )

    @router.delete("/threads/{thread_id}", status_code=204)
    async def delete(me: Me, thread_id: str) -> Response:
        moment = runs.moment(sources)
        await delete_thread(store.of(me.user_id), me.scope, thread_id, moment, most_running=most_running)
        return Response(status_code=204)


def _add_messages(router: APIRouter, store: Store, Me: Any, submit: Submitting) -> None:  # noqa: N803
    @router.get("/threads/{thread_id}/messages")
    async def list_messages(me: Me, thread_id: str, after: After = None, limit: Limit = 50) -> dict[str, Any]:
        return await store.of(me.user_id).read(lambda tx: reading.message_page(tx, me.scope, thread_id, after, limit))

    @router.post("/threads/{thread_id}/messages", status_code=202)
    async def send(me: Me, thread_id: str, body: NewMessage) -> dict[str, str]:
        sent = Send(body.client_id, body.text, thread_id, body.agent, tuple(body.attachments))
        return await submit(me.scope, sent)


def _add_runs(router: APIRouter, store: Store, Me: Any, cancel: Cancelling) -> None:  # noqa: N803
    @router.get("/runs/{run_id}")
    async def one_run(me: Me, run_id: str) -> dict[str, Any]:
        return await store.of(me.user_id).read(lambda tx: reading.run_of(tx, me.scope, run_id))

    @router.get("/runs/{run_id}/events")
    async def events_of_run(me: Me, run_id: str, after: Annotated[int, Query(ge=0, le=2**53)] = 0) -> Response:
        told, rest = await store.of(me.user_id).read(lambda tx: reading.run_story(tx, me.scope, run_id, after))
        link = {} if rest is None else {"Link": f'</v1/runs/{run_id}/events?after={rest}>; rel="next"'}
        return Response(b"[" + b",".join(told) + b"]", headers=link, media_type="application/json")

    @router.post("/runs/{run_id}/cancel", status_code=202)
    async def cancel_run(me: Me, run_id: str) -> dict[str, str]:
        return await cancel(me.scope, run_id)


def _add_files(router: APIRouter, store: Store, sources: Sources, Me: Any, uploads: Uploads) -> None:  # noqa: N803 - a type
    @router.post("/attachments", status_code=201, openapi_extra=_FORM)
    async def upload(me: Me, request: Request) -> dict[str, Any]:
        file = await uploads.read(request, me.user_id)
        new_id, now_ms = sources.new_id("att"), sources.now_ms()
        return await store.of(me.user_id).write(
            me.user_id, lambda tx: attachments.keep(tx, me.scope, new_id, file, now_ms)
        )

    @router.get("/attachments/{attachment_id}")
    async def one_file(me: Me, attachment_id: str) -> dict[str, Any]:
        return await store.of(me.user_id).read(lambda tx: attachments.attachment_of(tx, me.scope, attachment_id))

    @router.get("/attachments/{attachment_id}/content", response_class=Response, responses=_BYTES)
    async def content(me: Me, attachment_id: str) -> Response:
        return download(await store.of(me.user_id).read(lambda tx: attachments.content_of(tx, me.scope, attachment_id)))
