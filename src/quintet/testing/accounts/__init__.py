"""Users that are really registered, and every kind of token that must open nothing."""
