"""WHO HEARS: a user's log on its way to their screens. A socket is only a cursor: nothing is queued for it, it reads later."""

from quintet.delivery.config import Authenticate, Cancel, GatewayConfig, StillValid, Submit
from quintet.delivery.gateway import Gateway

__all__ = ["Authenticate", "Cancel", "Gateway", "GatewayConfig", "StillValid", "Submit"]
