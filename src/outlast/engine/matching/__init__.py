"""Task queues as plain state: tasks are offered, pollers ask, and a match is found for an instant."""
