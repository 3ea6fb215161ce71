"""How fast each backend trains a grid of networks, beside the limits of the machine."""
