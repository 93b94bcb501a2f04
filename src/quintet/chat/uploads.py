"""A file's way over HTTP, in and out.

1. It is counted while it is read: what is too long is not kept, and nothing of it touches a disk but the database.
2. A bound on how many are under way, for all and for each user, and on how long one may take: a slow sender holds no place for ever.
3. What a user uploads never becomes a page of ours: bytes go out as a download, under a type from a short list, in a sandbox.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from quintet.chat.attachments import Upload
from quintet.errors import QuintetError

__all__ = ["Uploads", "download"]

_FORM_BYTES = 16 * 1024  # of the form around the file
_AT_ONCE = 32
_PER_USER = 8
_SECONDS = 60.0
_NAME = 200  # characters

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,60}")
_UNKNOWN = "application/octet-stream"
_SAFE = frozenset(
    {
        "application/json",
        "application/pdf",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/markdown",
        "text/plain",
    }
)


class Uploads:
    """Reads files from multipart forms. `most_bytes` is the size of the largest."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._under_way: Counter[str] = Counter()

    async def read(self, request: Request, user_id: str) -> Upload:
        """The one file of the request's form.

        Raises:
            QuintetError: `unsupported_media_type`, `too_long`, `bad_message`; `rate_limited` and `busy` when too many are under way.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
            raise QuintetError("unsupported_media_type", "Send a form with one file, as multipart/form-data.")
        if self._under_way.total() >= _AT_ONCE:
            raise QuintetError("busy", retry_after=1)
        if self._under_way[user_id] >= _PER_USER:
            raise QuintetError("rate_limited", "Too many of your uploads are under way.", retry_after=1)
        self._under_way[user_id] += 1
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._parse(request)
        except TimeoutError:
            raise QuintetError("bad_message", "The upload took too long.") from None
        finally:
            self._under_way[user_id] -= 1
            if not self._under_way[user_id]:
                del self._under_way[user_id]

    async def _parse(self, request: Request) -> Upload:
        parser = MultiPartParser(request.headers, self._bounded(request), max_files=1, max_fields=0)
        parser.spool_max_size = self._most_bytes + _FORM_BYTES  # all of it in memory: it is bounded, a disk is not
        try:
            form = await parser.parse()
        except (MultiPartException, ValueError, ClientDisconnect):
            raise QuintetError("bad_message", "Send a form with one file and nothing else.") from None
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise QuintetError("bad_message", "Send a form with one file and nothing else.")
        file = files[0]
        content = await file.read()
        await file.close()
        if len(content) > self._most_bytes:
            raise self._too_long()
        return Upload(_name(file.filename or ""), _media_type(file.content_type or ""), content)

    async def _bounded(self, request: Request) -> AsyncGenerator[bytes, None]:
        most = self._most_bytes + _FORM_BYTES
        declared = request.headers.get("content-length", "0")
        if declared.isascii() and declared.isdigit() and len(declared) < 19 and int(declared) > most:
            raise self._too_long()
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise self._too_long()
            yield chunk

    def _too_long(self) -> QuintetError:
        return QuintetError("too_long", f"A file may have at most {self._most_bytes:,} bytes.")


def _name(given: str) -> str:
    """The last part of a path, without what would mislead in a list or a header."""
    last = re.split(r"[/\\]", given)[-1]
    shown = "".join(c for c in last if c.isprintable()).strip()
    return shown[-_NAME:] or "file"


def _media_type(given: str) -> str:
    bare = given.partition(";")[0].strip().lower()
    return bare if _MEDIA_TYPE.fullmatch(bare) else _UNKNOWN


def download(file: Upload) -> Response:
    """The bytes of a file, to be saved and never to be shown as a page."""
    plain = re.sub(r"[^ !#-\[\]-~]|[%;]", "_", file.name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": file.media_type if file.media_type in _SAFE else _UNKNOWN,
    }
    return Response(file.content, headers=headers)
