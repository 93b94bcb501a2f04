"""What requests bring and are given: forms, answers, the browser's cookie, and how often somebody may knock."""
