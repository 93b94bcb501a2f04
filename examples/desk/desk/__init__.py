"""A help desk: people ask, a clerk looks things up and answers, step by step, on all screens of whoever asked."""
