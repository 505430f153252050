"""The server's brain: requests go in, history events and effects come out.

Everything below is synchronous and silent: time and ids are arguments, nothing waits, logs, draws a random number or
touches a disk. The server package is the thin shell that feeds it and makes its answers durable.
"""
