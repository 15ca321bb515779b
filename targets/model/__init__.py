"""The model of targets: protocol, scenarios, faults, configuration and the programs made of them."""
