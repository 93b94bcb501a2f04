"""The HTTP application that every part adds its routes to."""

from fastapi import FastAPI

from quintet.edge import problems
from quintet.edge.figures import HTTPFigures
from quintet.edge.gate import Gate
from quintet.edge.openapi import describe_refusals
from quintet.edge.origins import OriginPolicy
from quintet.sources import Sources

__all__ = ["http_application"]


def http_application(
    policy: OriginPolicy, sources: Sources, version: str, figures: HTTPFigures | None = None
) -> FastAPI:
    """An application without routes: refusals are problem details, and every request goes through the gate.

    No `/docs` (it would load scripts from a CDN); no redirect of a trailing slash (an unknown address is a 404).
    """
    app = FastAPI(
        title="Quintet",
        version=version,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app)
    describe_refusals(app)
    app.add_middleware(Gate, policy=policy, sources=sources, figures=figures)
    return app
