"""A chat in five files: who speaks, what is stored, what is heard, who is told by mail."""
