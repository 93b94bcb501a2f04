"""What proves who somebody is besides a password: codes of an authenticator, recovery codes, passkeys."""

from quintet.accounts.factors.passkeys import Passkeys
from quintet.accounts.factors.relying import RelyingParty
from quintet.accounts.factors.second import FactorRequiredError, SecondFactor

__all__ = ["FactorRequiredError", "Passkeys", "RelyingParty", "SecondFactor"]
