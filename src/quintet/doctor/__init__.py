"""What is wrong with a project's tests before they run: which file rules for which invocation, and what that breaks."""
