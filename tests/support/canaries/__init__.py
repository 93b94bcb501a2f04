"""The canary machine's users: whose is what, what each of them does, and that nothing of theirs is missing."""
