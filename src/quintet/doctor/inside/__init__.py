"""What runs inside the examined project's own interpreter: started by file path, so it imports nothing of ours."""
