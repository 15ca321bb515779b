"""The table of operations that programs are made of."""
