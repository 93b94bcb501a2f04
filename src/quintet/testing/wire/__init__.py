"""What lies in the stream of a connection, byte by byte."""
