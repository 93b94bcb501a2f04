"""What is wrong with a running server, seen from where its users are: through the names, proxies and certificates that they meet.

`look(url)` asks; `quintet doctor --url` prints. It speaks to that server alone, changes nothing there and needs the base installation only.
"""

from .looking import Look, look
from .sights import RULES, Sight

__all__ = ["RULES", "Look", "Sight", "look"]
