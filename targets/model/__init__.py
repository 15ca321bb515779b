"""What a target is: protocol, scenarios, faults, configuration and the programs made of them."""
