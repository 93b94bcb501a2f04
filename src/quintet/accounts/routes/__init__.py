"""The routes of accounts; those of a room of its own stand there."""
