"""What every benchmark needs: processes, their CPU and memory, clients that are cheap to run, figures."""
