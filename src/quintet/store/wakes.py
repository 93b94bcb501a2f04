"""Wake-ups: "look again". They carry no data and may be lost, doubled or late; whoever listens also polls slowly."""

from collections.abc import Callable, Iterable

__all__ = ["Wakes"]


class Wakes:
    """Topics and who listens to them in this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, tuple[Callable[[], None], ...]] = {}

    def listen(self, topic: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` (from any thread; it must not block) at each wake-up of `topic`. Returns the way to stop."""
        self._listeners[topic] = (*self._listeners.get(topic, ()), callback)

        def stop() -> None:
            rest = list(self._listeners.get(topic, ()))
            if callback in rest:
                rest.remove(callback)
            self._listeners[topic] = tuple(rest)

        return stop

    def wake(self, topics: Iterable[str]) -> None:
        """Wake all listeners of `topics`."""
        for topic in topics:
            for callback in self._listeners.get(topic, ()):
                callback()
