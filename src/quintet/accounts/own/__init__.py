"""What a signed-in user does with their own account: sees it, takes it away as a file, ends it."""
