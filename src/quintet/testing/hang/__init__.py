"""A test that hangs names its line, ends, and lets the next one run; a coroutine that nobody awaits fails its test."""
