"""A real SMTP server on loopback, and a mailbox to read what reached it."""
