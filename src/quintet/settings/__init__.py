"""Every variable once: `load(environment, file text, options)` gives the settings, or all faults at once.

Pure: the environment, the text of `.env` and the maker of a development secret are arguments. A fault names the variable and
the fix and never shows a value. Source of the rules: protocol.md, sections 6 and 7.
"""

from .faults import Fault, SettingsError, StartError
from .loading import Options, Role, load
from .model import VARIABLES, Settings

__all__ = ["VARIABLES", "Fault", "Options", "Role", "Settings", "SettingsError", "StartError", "load"]
