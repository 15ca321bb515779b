"""The real world: Nova's own database layer, and the placement service."""
