"""WebSocket connections and streams of server-sent events for tests, with a deadline on every step and a story of what came."""
