"""The server: thin shells around the engine that wait, batch, cache and deliver. They never decide."""
