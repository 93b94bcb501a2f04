"""A browser, as far as a sign-in with a provider needs one: it keeps cookies of each place, follows redirects, and sends forms."""

import re
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

__all__ = ["Visitor"]

HOPS = 12
_FORM = re.compile(r'<form[^>]*action="([^"]+)"', re.IGNORECASE)
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="(\w+)"', re.IGNORECASE)


class Visitor:
    """One browser. It sends cookies marked secure to loopback names too, as browsers do and libraries do not."""

    def __init__(self, transports: dict[str, httpx.AsyncBaseTransport] | None = None) -> None:
        """`transports` are those of places that are in this process, by origin."""
        mounts = transports or {}
        self.http = httpx.AsyncClient(mounts=mounts, trust_env=False, timeout=20)
        self.cookies: dict[str, dict[str, str]] = {}
        self.visited: list[str] = []

    async def ask(self, verb: str, url: str, **content: Any) -> httpx.Response:
        """One request, with the cookies of the place; a cookie belongs to host and port here, which is stricter than a browser is."""
        place = urlsplit(url).netloc
        jar = self.cookies.setdefault(place, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()), **content.pop("headers", {})}
        answer = await self.http.request(verb, url, headers=headers, **content)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.split(";")[0].partition("=")
            if "max-age=0" in line.lower() or "expires=thu, 01 jan 1970" in line.lower() or not value:
                jar.pop(name, None)
            else:
                jar[name] = value
        self.visited.append(url)
        return answer

    async def go(self, url: str, until: str) -> httpx.Response:
        """Follow redirects until one leads to an address that begins so (it is not asked), or a page comes."""
        for _ in range(HOPS):
            answer = await self.ask("GET", url)
            if not answer.is_redirect:
                return answer
            url = urljoin(url, answer.headers["location"])
            if url.startswith(until):
                return answer
        raise AssertionError(f"redirected for ever: {self.visited}")

    async def send(self, page: httpx.Response, until: str, **fields: str) -> httpx.Response:
        """Send the page's form with these fields, and go on."""
        form = _FORM.search(page.text)
        assert form, page.text
        hidden = dict(_HIDDEN.findall(page.text))
        answer = await self.ask("POST", urljoin(str(page.url), unescape(form[1])), data={**hidden, **fields})
        assert answer.is_redirect, answer.text
        return await self.go(urljoin(str(page.url), answer.headers["location"]), until)

    async def close(self) -> None:
        """Give the connections back."""
        await self.http.aclose()
