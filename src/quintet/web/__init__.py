"""Where it is seen: the page, static files and the router that serves them."""

from quintet.web.pages import pages_router

__all__ = ["pages_router"]
