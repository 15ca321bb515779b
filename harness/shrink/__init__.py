"""Making failing runs small."""
