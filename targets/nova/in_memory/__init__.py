"""The fast world: conductor and placement in memory."""
