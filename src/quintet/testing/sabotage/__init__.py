"""Whether a suite is worth its green: it runs against planted defects, and what nobody notices is told.

A relay between the tests and every server they speak to understands HTTP, WebSockets and server-sent events well enough to lose,
double, delay or falsify single messages. Tests are not changed and know nothing of it.
"""
