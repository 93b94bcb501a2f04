"""Starts one of the probes. Its folder leaves the search path again, so that the examined project finds its own modules only."""

import sys
from importlib import import_module

here = sys.path.pop(0)
sys.path.insert(0, here)
package = import_module("quintet_probe")
sys.path.remove(here)
import_module(f"{package.__name__}.{sys.argv[1]}").main(sys.argv[2:])
