"""Users and their addresses: the rows, and what an address may look like."""
