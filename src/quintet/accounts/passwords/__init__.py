"""Passwords: which may be one, what is kept of it, how often one may guess, and the proof that is asked for again."""
