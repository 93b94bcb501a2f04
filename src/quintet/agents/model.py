"""The language model of one run: made for it, on its own loop, with an HTTP client of its own, and closed with it.

1. Agents run on several event loops in several threads: no client is shared, only the certificates that are trusted.
2. A wait for bytes has a limit; one request is tried twice at most.
3. A provider may send back what it was sent: before an error reaches a log, every key is taken out of it.
"""

import inspect
import json
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx2
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.providers import Provider, infer_provider_class

from quintet.agents.config import ModelConfig, ModelConfigError

__all__ = ["ModelError", "check", "fault", "opened"]

_CONNECT = 10.0  # seconds, also to wait for a connection of the pool
_WRITE = 30.0
_RETRIES = 1  # of the provider's own library, for what passes by itself: 429, 5xx, a refused connection
_ONE_CLIENT = frozenset({"openai", "openai-chat", "openai-responses", "anthropic"})  # these take a client of ours
_COMPATIBLE = frozenset({"openai", "openai-chat", "openai-responses"})  # with an address: whoever speaks like OpenAI
_TOLD = 300  # characters of one error in the log


class ModelError(Exception):
    """What the provider did wrong, for the server's log: without any key."""


@asynccontextmanager
async def opened(config: ModelConfig) -> AsyncIterator[Model]:
    """The model, for one run; leaving closes its connections, also in the middle of an answer."""
    async with _client(config.seconds) as client, _made(config, client) as model:
        yield model


def check(config: ModelConfig) -> None:
    """Make the model once, without asking it anything.

    Raises:
        ModelConfigError: an unknown provider, a missing package or key, an address it cannot take.
    """
    try:
        _made(config, _client(config.seconds))
    except ModelConfigError:
        raise
    except ImportError as missing:
        provider = config.name.partition(":")[0]
        raise ModelConfigError(
            f"The provider {provider!r} of QUINTET_MODEL needs a package that is not installed",
            f"Run: pip install 'quintet[llm]' 'pydantic-ai-slim[{provider}]'",
        ) from missing
    except Exception as error:
        if config.api_key is None and "api_key" in str(error):
            raise ModelConfigError("QUINTET_MODEL is set, but its key is not", "Set QUINTET_MODEL_API_KEY.") from error
        first = _hidden(str(error), _keys(config, None)).partition("\n")[0].rstrip(".")[:300]
        raise ModelConfigError(f"QUINTET_MODEL cannot be used: {first}", "Look at docs/models.md.") from error


def fault(error: Exception, config: ModelConfig, model: Model) -> Exception:
    """`error` as it may be logged: a provider's in short, as `ModelError`; our own as it is, unless a key is in it."""
    keys = _keys(config, model)
    ours = not isinstance(error, (AgentRunError, UserError))
    if ours and not any(key in line for line in traceback.format_exception(error) for key in keys):
        return error
    told = [f"{type(one).__name__}: {_hidden(str(one), keys)[:_TOLD]}" for one in _chain(error)]
    return ModelError(" <- ".join(told))


# --- making it --------------------------------------------------------------------------------------------------------


def _made(config: ModelConfig, client: httpx2.AsyncClient) -> Model:
    provider, _, name = config.name.partition(":")
    if config.base_url is not None and provider in _COMPATIBLE:
        return _compatible(config, config.base_url, name, client)
    return infer_model(config.name, lambda wanted: _provider(config, wanted, client))


def _compatible(config: ModelConfig, base_url: str, name: str, client: httpx2.AsyncClient) -> Model:
    """At an address of the operator's: Chat Completions, which everybody has, unless Responses are asked for."""
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    provider = OpenAICompatibleProvider(
        "openai-compatible", base_url=base_url, api_key=config.api_key, http_client=client
    )
    _bounded(provider, config)
    if config.name.startswith("openai-responses:"):
        return OpenAIResponsesModel(name, provider=provider)
    return OpenAIChatModel(name, provider=provider)


def _provider(config: ModelConfig, name: str, client: httpx2.AsyncClient) -> Provider[Any]:
    made = infer_provider_class(name)
    wanted: dict[str, Any] = {"api_key": config.api_key, "base_url": config.base_url}
    wanted = {field: value for field, value in wanted.items() if value is not None}
    taken = inspect.signature(made).parameters
    for field in wanted:
        if field not in taken:
            variable = f"QUINTET_MODEL_{field.upper()}"
            raise ModelConfigError(
                f"The provider {name!r} of QUINTET_MODEL takes no {variable}", "Remove it, and see docs/models.md."
            )
    if name in _ONE_CLIENT:
        wanted["http_client"] = client
    provider = made(**wanted)
    _bounded(provider, config)
    return provider


def _bounded(provider: Provider[Any], config: ModelConfig) -> None:
    """The waits and the tries of the provider's own library, where it has such."""
    library = provider.client
    if hasattr(library, "max_retries") and hasattr(library, "timeout"):
        library.max_retries = _RETRIES
        library.timeout = _waits(config.seconds)


def _waits(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(connect=min(_CONNECT, seconds), read=seconds, write=_WRITE, pool=_CONNECT)


def _client(seconds: float) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(verify=_trusted(), timeout=_waits(seconds))


@cache
def _trusted() -> SSLContext:
    """Read once: it takes 30 ms, and holds nothing of a run."""
    return httpx2.create_ssl_context()


# --- keeping keys out of logs -----------------------------------------------------------------------------------------


def _keys(config: ModelConfig, model: Model | None) -> set[str]:
    provider = model.provider if model is not None else None
    known = (config.api_key, getattr(provider.client, "api_key", None) if provider is not None else None)
    found = {key for key in known if isinstance(key, str) and len(key) >= 4}
    return found | {json.dumps(key)[1:-1] for key in found}


def _hidden(text: str, keys: set[str]) -> str:
    for key in keys:
        text = text.replace(key, "[key]")
    return text


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, at most five."""
    one: BaseException | None = error
    for _ in range(5):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
