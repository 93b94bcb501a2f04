"""What Quintet costs, measured: one command for each question, `python -m benchmarks` lists them."""
