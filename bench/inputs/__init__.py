"""What the networks are fed: initial parameters, the order of examples, and the splits of a data set."""
