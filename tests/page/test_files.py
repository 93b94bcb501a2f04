"""The files of the page, and how they are served."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from quintet.web import pages_router
from quintet.web.pages import FOLDER, SECURITY_HEADERS, load_assets

SCRIPTS = sorted((FOLDER / "app").rglob("*.js"))
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"})
FORBIDDEN = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|setHTML|setHTMLUnsafe|createContextualFragment|document\.write|DOMParser|eval)\b"
    r"|new Function|setTimeout\(\s*[\"']"
)
ADDRESS = re.compile(r"https?://([\w.-]+)")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """The pages alone, in this process."""
    app = FastAPI(openapi_url=None)
    app.include_router(pages_router())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.mark.l1
def test_nothing_in_the_page_can_turn_text_into_markup() -> None:
    """No script uses a way to make markup or code of a string."""
    found = [(path.name, FORBIDDEN.findall(path.read_text())) for path in SCRIPTS if FORBIDDEN.search(path.read_text())]
    assert found == []


@pytest.mark.l1
def test_the_page_names_no_other_host() -> None:
    """No address of another host is in any file, but the name of the SVG namespace and what the form and the sample show."""
    hosts = {(path.name, host) for path in FILES for host in ADDRESS.findall(path.read_text())}
    assert {host for _, host in hosts} <= {"www.w3.org"}


@pytest.mark.l1
def test_files_of_the_page_are_short() -> None:
    """At most 300 lines each, and lines of at most 120 characters in scripts."""
    long = {path.name: count for path in FILES if (count := path.read_text().count("\n")) > 300}
    wide = {path.name for path in SCRIPTS for line in path.read_text().splitlines() if len(line) > 120}
    assert long == {}
    assert wide == set()


@pytest.mark.l1
def test_scripts_import_downwards_only() -> None:
    """No two scripts import each other, over however many others."""
    imports = {path.resolve(): imported(path) for path in SCRIPTS}
    assert all(target in imports for targets in imports.values() for target in targets)
    done: set[Path] = set()

    def walk(path: Path, way: tuple[Path, ...]) -> None:
        assert path not in way, " -> ".join(step.name for step in (*way, path))
        if path not in done:
            for target in imports[path]:
                walk(target, (*way, path))
            done.add(path)

    for path in imports:
        walk(path, ())
    assert done == set(imports)


def imported(path: Path) -> list[Path]:
    """The scripts that a script imports."""
    return [(path.parent / name).resolve() for name in re.findall(r'from "(\.[^"]+)"', path.read_text())]


@pytest.mark.l2
async def test_every_file_is_served_locked_in(client: httpx.AsyncClient) -> None:
    """Each file with its media type, the whole policy, and an entity tag; by GET and HEAD alike."""
    assets = load_assets()
    assert len(assets) == len(FILES)
    for address, asset in assets.items():
        for answer in (await client.get(address), await client.head(address)):
            assert answer.status_code == 200
            assert answer.headers["content-type"] == asset.media_type
            assert answer.headers["etag"] == asset.etag
            assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
            assert int(answer.headers["content-length"]) == len(asset.body)


@pytest.mark.l2
async def test_the_policy_is_strict(client: httpx.AsyncClient) -> None:
    """Nothing but this origin, nothing inline, no frame around it, no form that leads elsewhere."""
    policy = (await client.get("/")).headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert {rules[name] for name in ("base-uri", "form-action", "frame-ancestors", "trusted-types")} == {"'none'"}
    assert "unsafe" not in policy
    assert (await client.get("/")).headers["x-content-type-options"] == "nosniff"
    assert (await client.get("/")).headers["referrer-policy"] == "no-referrer"


@pytest.mark.l2
async def test_a_file_that_is_held_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """The entity tag, weak or in a list, answers 304 with the policy; another one answers the file."""
    etag = load_assets()["/app/main.js"].etag
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await client.get("/app/main.js", headers={"If-None-Match": held})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]
    assert (await client.get("/app/main.js", headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.l2
@pytest.mark.parametrize(
    "address", ["/index.html", "/app/", "/app/../pages.py", "/app/%2e%2e/pages.py", "/pages.py", "/app"]
)
async def test_only_files_of_the_page_are_served(client: httpx.AsyncClient, address: str) -> None:
    """No path leads to anything that is not in the table, least of all to code."""
    assert (await client.get(address)).status_code == 404


@pytest.mark.l2
async def test_the_first_answer_names_every_script(client: httpx.AsyncClient) -> None:
    """A browser can fetch all scripts at once; the one that begins is in the page, and each is reached from it. The headers stay small."""
    answer = await client.get("/")
    named = set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', answer.text))
    assert sum(len(name) + len(value) + 4 for name, value in answer.headers.raw) < 2048
    scripts = {f"/{path.relative_to(FOLDER).as_posix()}" for path in SCRIPTS}
    of_admin = {name for name in scripts if name.startswith("/app/admin/")}
    assert named == scripts - of_admin
    page = await client.get("/admin")
    assert set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', page.text)) == of_admin
    assert page.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]
    assert '<script type="module" src="/app/main.js"></script>' in answer.text
