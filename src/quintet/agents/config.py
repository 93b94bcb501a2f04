"""Which language model is behind the assistant. Light: nothing here imports a provider."""

from dataclasses import dataclass, field

__all__ = ["ModelConfig", "ModelConfigError"]


class ModelConfigError(Exception):
    """The model asked for cannot be used: `what` is wrong, and its `fix`, for the operator."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what}. {fix}")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A model's name with its provider, where it is reached, the key (never shown), the seconds it may be silent, and how many
    characters of the conversation it is reminded of."""

    name: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    seconds: float = 120
    history: int = 48_000
