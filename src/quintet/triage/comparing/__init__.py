"""What stands beside a failure, or on its two sides, compared: the words that tell a reason where no rule knows the text."""
