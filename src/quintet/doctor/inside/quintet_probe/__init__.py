"""What runs in the project's own interpreter: the standard library and its pytest, nothing of ours, Python 3.8 and newer."""
