"""What the black-box tests stand on: a real server process, real accounts, real sockets. Nothing here imports the product."""
