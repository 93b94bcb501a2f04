"""Behaviours as functions of a server or a world, so that a test and the sabotage that must turn it red run the very same check."""
