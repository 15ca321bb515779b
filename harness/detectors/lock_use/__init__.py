"""How locks and conditions are used."""
