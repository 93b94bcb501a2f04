"""Quintet: a backend for multi-user agent chat."""

__version__ = "0.1.0"
