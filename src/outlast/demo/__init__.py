"""What ``outlast demo`` runs: an order pipeline, its application, and the story that kills and restarts that."""
