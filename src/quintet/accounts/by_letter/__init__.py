"""What a letter's link does, and what is done after an answer. The letters themselves are in `letters`."""
