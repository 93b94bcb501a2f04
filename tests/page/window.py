"""One window of a real Chromium, used as a person uses it: by what is written on the page.

A window remembers what nobody should see: console warnings, exceptions, requests to another host. `quiet` looks at them; what a
test provokes on purpose (a refused sign-in, a server that is gone) is named there.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Locator, Page, Request, WebSocketRoute, expect

from quintet.testing.accounts.account import Account, good_passphrase, random_address

__all__ = ["Window"]

REFUSED = r"the server responded with a status of (401|409|422)"
GONE = r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|closed before the connection"


class Window:
    """A page at one server, and its faults."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.email = ""
        self.password = ""
        self.faults: list[str] = []
        self.frames: list[str] = []
        self.is_settled = False
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("request", self._request)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.frames.append(str(frame))))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"warning", "error", "assert"}:
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.faults.append(f"request to another host: {request.url}")

    def quiet(self, *allowed: str) -> None:
        """Nothing was in the console, nothing was raised, nothing went elsewhere, but what is named here."""
        left = [fault for fault in self.faults if not any(re.search(pattern, fault) for pattern in allowed)]
        assert left == [], "\n".join(left)
        self.is_settled = True

    async def settings(self, tab: str = "Profile") -> None:
        """Open the settings at a tab."""
        await self.button("Settings").click()
        await self.page.get_by_role("tab", name=tab, exact=True).click()

    async def passing(self) -> list[WebSocketRoute]:
        """The sockets that the page opens from now on, as they come; closing one with a code is what the server could have done."""
        opened: list[WebSocketRoute] = []

        def keep(socket: WebSocketRoute) -> None:
            opened.append(socket)
            socket.connect_to_server()

        await self.page.route_web_socket("**/v1/ws", keep)
        return opened

    # --- coming in ----------------------------------------------------------------------------------------------------

    async def open(self, path: str = "/") -> "Window":
        """Go to an address of the server."""
        await self.page.goto(self.url + path)
        return self

    async def sign_up(self) -> "Window":
        """Make a new account through the form, and wait for the first screen."""
        await self.open()
        await self.fill_form(random_address(), good_passphrase())
        await self.button("Create account").click()
        await self.ready()
        return self

    async def anew(self) -> None:
        """A new conversation, with nothing written, attached, heard or found fault with."""
        await self.page.goto(self.url + "/#/new")
        removing = self.page.locator(".chip").get_by_role("button", name="Remove")
        for _ in range(await removing.count()):
            await removing.first.click()
        await self.composer.fill("")
        await expect(self.page.locator(".turn")).to_have_count(0)
        self.faults.clear()
        self.frames.clear()
        self.is_settled = False

    async def sign_in(self, account: "Account | Window") -> "Window":
        """Sign in through the form with an account that exists."""
        await self.open()
        if await self.button("Sign in").count() and await self.button("Create account").is_visible():
            await self.button("Sign in").click()
        await self.fill_form(account.email, account.password)
        await self.page.get_by_role("main").locator("button[type=submit]").click()
        await self.ready()
        return self

    async def fill_form(self, email: str, password: str) -> None:
        """Write into the form, without sending it."""
        self.email, self.password = email, password
        await self.page.get_by_label("E-mail address").fill(email)
        await self.page.get_by_label("Password", exact=True).fill(password)

    async def ready(self) -> None:
        """The first screen is there and the connection stands."""
        await expect(self.page.locator(".link-state")).to_have_text("Connected")  # in the drawer on a phone
        await expect(self.page.locator("#agent option").nth(1)).to_be_attached()

    # --- using it -----------------------------------------------------------------------------------------------------

    def button(self, name: str) -> Locator:
        """A button by its whole name."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_label("Message", exact=True).and_(self.page.locator("textarea"))

    @property
    def notice(self) -> Locator:
        """The line over the composer."""
        return self.page.locator(".notice")

    async def say(self, text: str, *, agent: str) -> None:
        """Write to an agent and press Enter."""
        await self.page.get_by_label("Agent").select_option(agent)
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def paste(self, text: str) -> None:
        """Paste from the clipboard, as one does with a long report; needs its permissions."""
        await self.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        await self.composer.focus()
        await self.page.keyboard.press("ControlOrMeta+V")

    def turn(self, number: int = -1) -> Locator:
        """A turn of the conversation on the screen, the last one unless told otherwise."""
        return self.page.locator(".turn").nth(number)

    async def ended(self, state: str, *, seconds: float = 30, number: int = -1) -> Locator:
        """Wait until a turn has ended so."""
        turn = self.turn(number)
        await expect(turn).to_have_attribute("data-state", state, timeout=seconds * 1000)
        return turn

    async def thoughts(self, turn: Locator | None = None) -> list[str]:
        """The thoughts told in a turn, folded ones too, in their order."""
        return await (turn or self.turn()).locator(".thought-text").all_text_contents()

    async def tools(self, turn: Locator | None = None) -> list[str]:
        """The names of the tools used in a turn."""
        return await (turn or self.turn()).locator(".call-name").all_text_contents()

    async def answer(self, turn: Locator | None = None) -> str:
        """The answer as it is read."""
        return (await (turn or self.turn()).locator(".answer").inner_text()).strip()

    async def unfold(self, turn: Locator | None = None) -> None:
        """Open the story of a turn."""
        story = (turn or self.turn()).locator("details.story")
        if await story.get_attribute("open") is None:
            await story.locator("summary").first.click()

    async def evaluate(self, script: str, value: Any = None) -> Any:
        """Run a script in the page."""
        return await self.page.evaluate(script, value)

    async def said(self) -> Sequence[str]:
        """The texts of all messages on the screen, oldest first."""
        return await self.page.locator(".turn .asked").all_inner_texts()
