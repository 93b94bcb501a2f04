"""The test kit: real services for the tests of any server, without Docker, and checks that mean something.

Nothing here needs the server's dependencies. What tests import by name is exported lazily, so that the plugin loads fast.
"""
