"""How accounts are made: open to all, by invitation, or not at all."""
