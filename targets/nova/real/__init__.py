"""What a world stands on when it is real: Nova's own database layer, and placement."""
